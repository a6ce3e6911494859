//! The `uptime` block as it is written. As in `raw`, the doc comments are the descriptions in the schema, and nothing is
//! judged here beyond a single value.

use jiff::civil::Date;
use url::Url;

use super::basic::{Items, Table};
pub(super) use super::raw_uptime_values::{Alert, Headers, OneOrMany, SentValue, Span, WarnDomain};
use super::shape::{At, Text, shape, words};
use crate::base::secret::SecretReference;
use crate::model::inventory::Unsupported;
use crate::model::monitor::{Confirm, Region, Status};
use crate::model::record::RecordType;
use crate::model::window::TimeOfDay;

shape! {
    /// What is watched from outside once it is launched, and who is told when it fails.
    Uptime {
        /// The service that watches.
        "provider" provider: Text, required, example "uptimerobot";
        /// The time from one check to the next, where a check says none.
        "every" every: At<Span>, default "5m", example "1m";
        /// Who is told, by the names of contacts, where a check says nothing.
        "alert" alert: Items<Alert>;
        /// Who can be told, by a name of your own.
        "contacts" contacts: Table<Contact>;
        /// Times in which checks are expected to fail and nobody is told, by a name of your own.
        "maintenance" maintenance: Table<Maintenance>;
        /// What is watched, in any order.
        "checks" checks: Vec<Check>;
        /// What happens to what the service or its plan cannot hold: `refuse` makes the plan an error that names it,
        /// `warn` takes the nearest that can be held and says so.
        "on_unsupported" on_unsupported: At<Unsupported>, default "refuse";
        /// Codes of warnings about checks that were read and are meant: they are no longer shown.
        "accept" accept: Vec<Text>, example "not-watched";
    }
}

shape! {
    /// Somebody who can be told: exactly one of the keys. What is secret is named by where it is kept.
    Contact {
        /// A mailbox that is written to.
        "email" email: Text, example "ops@acme.example";
        /// Where the address of a Slack incoming webhook is kept: `env:NAME`, `keyring:NAME` or `file:PATH`.
        "slack" slack: At<SecretReference>, example "env:SLACK_WEBHOOK_URL";
        /// Where the address of an HTTP endpoint is kept: `env:NAME`, `keyring:NAME` or `file:PATH`.
        "webhook" webhook: At<SecretReference>, example "env:ALERT_WEBHOOK_URL";
        /// A telephone number with its country code; most services must have confirmed it before.
        "sms" sms: Text, example "+441632960961";
    }
}

shape! {
    /// Something that is watched: one of `url`, `tls`, `tcp`, `ping`, `dns` and `heartbeat`.
    Check {
        /// Its name, as people read it in an alert; its address is made from it.
        "name" name: Text, required, example "Homepage";
        /// The last part of its address, where two checks have one name: lower-case letters, digits and hyphens.
        "key" key: Text, example "homepage-2";
        /// An address that is asked over HTTP.
        "url" url: At<Url>, example "https://acme.example/";
        /// A host whose certificate is watched. Where the service has it so, this becomes a part of a `url` check of the
        /// same host.
        "tls" tls: Text, example "acme.example";
        /// A host and port that must take a connection.
        "tcp" tcp: Text, example "smtp.acme.example:587";
        /// A host that must answer an echo request.
        "ping" ping: Text, example "vpn.acme.example";
        /// A name that must be answered for in DNS.
        "dns" dns: Text, example "acme.example";
        /// How often something of yours calls an address that the service makes for it; somebody is told when a call
        /// does not come.
        "heartbeat" heartbeat: At<Span>, example "1d";
        /// How late a call may be. Not said: the service decides.
        "grace" grace: At<Span>, example "1h";
        /// The type of record that is asked for.
        "record" record: At<RecordType>, default "A";
        /// The data that may be answered: all that is answered must be among it. Not said: any answer will do.
        "answers" answers: Items<Text>;
        /// Who is asked, as HOST or HOST:PORT. Not said: whom the service usually asks.
        "server" server: Text, example "ns1.acme.example";
        /// The HTTP method.
        "method" method: Text, default "GET";
        /// Request headers. A value that begins with `env:`, `keyring:` or `file:` is kept there.
        "headers" headers: Headers;
        /// The body of the request. One that begins with `env:`, `keyring:` or `file:` is kept there.
        "body" body: SentValue;
        /// What the answer must be.
        "expect" expect: Expect;
        /// Whether redirects are followed before the answer is judged.
        "follow_redirects" follow_redirects: At<bool>, default "true";
        /// Whether a certificate that does not verify counts as a failure.
        "verify_tls" verify_tls: At<bool>, default "true";
        /// How long before the certificate's end somebody is told, in whole days, once or several times. For a `tls`
        /// check 21 days unless said, for others never.
        "warn_before" warn_before: OneOrMany<Span>, example "21d";
        /// Whether somebody is told before the domain's registration ends, or how many days before.
        "warn_domain" warn_domain: At<WarnDomain>, example "30d";
        /// The time from one check to the next.
        "every" every: At<Span>, example "1m";
        /// After how long no answer counts as a failure; never longer than the time between checks unless said.
        "timeout" timeout: At<Span>, default "30s";
        /// How often a failure is checked again before anybody is told (`2`), or how long it must last (`90s`). Not
        /// said: the service decides.
        "confirm" confirm: At<Confirm>, example "2";
        /// How long it must be as it should be again before that is taken for the end of a failure. Not said: the
        /// service decides.
        "recover" recover: At<Span>, example "3m";
        /// Where it is checked from. Not said: the service decides.
        "regions" regions: Items<At<Region>>;
        /// Whether it rests. Not said: whoever pauses it by hand is not overruled.
        "paused" paused: At<bool>;
        /// Who is told.
        "alert" alert: Items<Alert>;
        /// In which of the maintenance windows it may fail, by their names.
        "maintenance" maintenance: Items<Text>;
        /// Labels kept with it at the service.
        "labels" labels: Items<Text>;
    }
}

shape! {
    /// What an answer must be.
    Expect {
        /// The status or statuses, each a number or a class such as `2xx`.
        "status" status: OneOrMany<Status>, default "2xx";
        /// A text that the answer must hold.
        "contains" contains: Text, example "Sign in";
        /// A text that the answer must not hold.
        "lacks" lacks: Text, example "Maintenance";
        /// Whether upper and lower case of that text are the same. Not said: the service decides.
        "ignore_case" ignore_case: At<bool>;
    }
}

shape! {
    /// A time in which checks are expected to fail: on one `date`, or again and again.
    Maintenance {
        /// The one day on which it is.
        "date" date: At<Date>, example "2026-12-01";
        /// How often it is, when it is more than once.
        "repeat" repeat: At<Repeat>, example "weekly";
        /// On which days it is: of the week by their names, of the month by numbers and `last`.
        "days" days: Items<Text>;
        /// When it begins.
        "at" begins: At<TimeOfDay>, required, example "02:00";
        /// How long it lasts, in whole minutes.
        "for" lasts: At<Span>, required, example "1h";
        /// The time zone of all that, by its IANA name.
        "zone" zone: Text, default "UTC", example "Europe/Berlin";
    }
}

shape! {
    /// A contact with when it is told.
    Told {
        /// The name of the contact.
        "contact" contact: Text, required;
        /// How long it must have been down before.
        "after" after: At<Span>, default "0s", example "10m";
        /// After how long it is said again; 0 for once.
        "repeat" repeat: At<Span>, default "0s", example "1h";
    }
}

words!(Unsupported, "way to treat what cannot be held", { "refuse" => Unsupported::Refuse, "warn" => Unsupported::Warn });
words!(Repeat, "repetition", { "daily" => Repeat::Daily, "weekly" => Repeat::Weekly, "monthly" => Repeat::Monthly });
words!(Region, "region", {
    "north-america" => Region::NorthAmerica, "europe" => Region::Europe, "asia" => Region::Asia, "oceania" => Region::Oceania,
});

/// How often a maintenance window is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    Daily,
    Weekly,
    Monthly,
}
