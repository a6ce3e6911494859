//! A DNS server on loopback, over UDP and TCP, that answers what a zone in memory holds: what the real resolver asks in
//! tests. What the zone fails at is SERVFAIL, names below `silent.` get no answer, and what is too large for a datagram
//! has to be asked for over TCP. The library's own tests use this file too.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use futures_util::FutureExt as _;
use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::tlsa::{Matching, Selector};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, NULL, PTR, TLSA, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use launchctl::mail::dns::{Dns as _, Lookup, MemoryZone, QueryName};

/// What fits into a datagram (the size that resolvers announce).
const DATAGRAM: usize = 1232;
/// How often a server looks up from waiting.
const LOOK_UP: Duration = Duration::from_millis(50);

/// What both transports share.
#[derive(Default)]
struct Shared {
    zone: Mutex<MemoryZone>,
    stop: AtomicBool,
    streams: AtomicUsize,
}

/// The server; it ends when it is dropped.
pub struct ZoneServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    threads: Vec<JoinHandle<()>>,
}

impl ZoneServer {
    /// Begins to answer, on a port that is free for both transports.
    pub fn start(zone: MemoryZone) -> Self {
        let (listener, socket) = loop {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()) {
                break (listener, socket);
            }
        };
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            zone: Mutex::new(zone),
            ..Shared::default()
        });
        let (for_udp, for_tcp) = (Arc::clone(&shared), Arc::clone(&shared));
        let threads = vec![
            std::thread::spawn(move || datagrams(&socket, &for_udp)),
            std::thread::spawn(move || streams(&listener, &for_tcp)),
        ];
        Self {
            shared,
            address,
            threads,
        }
    }

    /// Where it is asked.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers from another zone from now on.
    pub fn serve(&self, zone: MemoryZone) {
        *self.shared.zone.lock().unwrap() = zone;
    }

    /// How many questions came over TCP.
    #[allow(dead_code, reason = "one of the two users of this file counts them")]
    pub fn streams(&self) -> usize {
        self.shared.streams.load(Ordering::SeqCst)
    }
}

impl Drop for ZoneServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // The listener waits for a connection: this is the last one.
        let _ = TcpStream::connect(self.address);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn datagrams(socket: &UdpSocket, shared: &Shared) {
    socket.set_read_timeout(Some(LOOK_UP)).unwrap();
    let mut buffer = [0; 4096];
    while !shared.stop.load(Ordering::SeqCst) {
        let Ok((length, peer)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        if let Some(answer) = answer(&buffer[..length], shared) {
            let mut bytes = answer.to_vec().unwrap();
            if bytes.len() > DATAGRAM {
                bytes = answer.truncate().to_vec().unwrap();
            }
            let _ = socket.send_to(&bytes, peer);
        }
    }
}

fn streams(listener: &TcpListener, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let shared = Arc::clone(shared);
        if let Ok(stream) = stream {
            // It ends with the peer's connection.
            std::thread::spawn(move || one_stream(stream, &shared));
        }
    }
}

fn one_stream(mut stream: TcpStream, shared: &Shared) -> Option<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length).ok()?;
        let mut request = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut request).ok()?;
        shared.streams.fetch_add(1, Ordering::SeqCst);
        let bytes = answer(&request, shared)?.to_vec().unwrap();
        let length = u16::try_from(bytes.len()).ok()?;
        stream.write_all(&[&length.to_be_bytes()[..], &bytes].concat()).ok()?;
    }
}

fn answer(request: &[u8], shared: &Shared) -> Option<Message> {
    let request = Message::from_vec(request).ok()?;
    let query = request.queries.first()?.clone();
    let mut out = Message::response(request.metadata.id, request.metadata.op_code);
    out.metadata.recursion_desired = true;
    out.metadata.recursion_available = true;
    out.add_query(query.clone());
    let labels: Vec<String> = query
        .name()
        .iter()
        .map(|label| String::from_utf8_lossy(label).into_owned())
        .collect();
    if labels.iter().any(|label| label == "silent") {
        return None;
    }
    let Ok(mut name) = QueryName::parse(&labels.join(".")) else {
        out.metadata.response_code = ResponseCode::FormErr;
        return Some(out);
    };
    let zone = shared.zone.lock().unwrap().clone();
    // A chain that ends nowhere in this many steps is a circle.
    for _ in 0..9 {
        if query.query_type() == RecordType::CNAME {
            break;
        }
        let Lookup::Records(aliases) = zone.cname(&name).now_or_never().unwrap() else {
            break;
        };
        out.add_answer(record(&name, RData::CNAME(CNAME(wire(&aliases[0])))));
        name = aliases[0].clone();
    }
    match data(&zone, &name, query.query_type()) {
        Lookup::Records(all) => {
            out.add_answers(all.into_iter().map(|data| record(&name, data)));
        }
        Lookup::NoData => {}
        Lookup::NoSuchName => out.metadata.response_code = ResponseCode::NXDomain,
        Lookup::Failed(_) => out.metadata.response_code = ResponseCode::ServFail,
    }
    Some(out)
}

fn data(zone: &MemoryZone, name: &QueryName, kind: RecordType) -> Lookup<RData> {
    match kind {
        RecordType::A => zone.a(name).now_or_never().unwrap().map(|ip| RData::A(A(ip))),
        RecordType::AAAA => zone.aaaa(name).now_or_never().unwrap().map(|ip| RData::AAAA(AAAA(ip))),
        RecordType::MX => zone.mx(name).now_or_never().unwrap().map(|mx| {
            let host = mx.host.as_ref().map_or_else(Name::root, wire);
            RData::MX(MX::new(mx.preference, host))
        }),
        RecordType::PTR => zone
            .ptr(name)
            .now_or_never()
            .unwrap()
            .map(|host| RData::PTR(PTR(wire(&host)))),
        RecordType::CNAME => zone
            .cname(name)
            .now_or_never()
            .unwrap()
            .map(|host| RData::CNAME(CNAME(wire(&host)))),
        RecordType::TXT => zone.txt(name).now_or_never().unwrap().map(|value| {
            let strings = if value.is_empty() {
                vec![&value[..]]
            } else {
                value.chunks(255).collect()
            };
            RData::TXT(TXT::from_bytes(strings))
        }),
        RecordType::CAA => zone.caa(name).now_or_never().unwrap().map(|caa| {
            let tag = caa.tag.as_bytes();
            let length = u8::try_from(tag.len()).unwrap();
            let bytes = [&[caa.flags, length][..], tag, caa.value.as_bytes()].concat();
            RData::Unknown {
                code: RecordType::Unknown(257),
                rdata: NULL::with(bytes),
            }
        }),
        RecordType::TLSA => zone
            .tlsa(name)
            .now_or_never()
            .unwrap()
            .map(|usage| RData::TLSA(TLSA::new(usage.into(), Selector::Spki, Matching::Sha256, vec![7; 32]))),
        other => panic!("nobody asks for {other} here"),
    }
}

fn record(name: &QueryName, data: RData) -> Record {
    Record::from_rdata(wire(name), 60, data)
}

fn wire(name: &QueryName) -> Name {
    let mut name = Name::from_labels(name.labels().map(str::as_bytes)).unwrap();
    name.set_fqdn(true);
    name
}
