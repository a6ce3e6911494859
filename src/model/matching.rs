//! Which requests a rule covers, as people say it: hosts, paths, methods, and what is not meant. Neutral: a provider
//! turns it into its own language.

/// Which requests are meant. Everything that is said has to hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Match {
    /// Any of these hosts, each a name or a glob.
    pub hosts: Vec<String>,
    /// Any of these paths, each a path or a glob.
    pub paths: Vec<String>,
    /// Any of these methods, in upper case.
    pub methods: Vec<String>,
    /// None of these requests.
    pub not: Option<Box<Match>>,
    /// What the provider's own language says.
    pub expression: Option<String>,
}

impl Match {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether every request that `other` means is meant by this one too. Never true by mistake; not always found.
    pub fn covers(&self, other: &Self) -> bool {
        let globs = |mine: &[String], theirs: &[String]| {
            let one = |theirs: &String| mine.iter().any(|mine| covers(mine, theirs));
            mine.is_empty() || (!theirs.is_empty() && theirs.iter().all(one))
        };
        let methods = self.methods.is_empty()
            || (!other.methods.is_empty() && other.methods.iter().all(|method| self.methods.contains(method)));
        let expression = self.expression.is_none() || self.expression == other.expression;
        let not = self.not.is_none() || self.not == other.not;
        globs(&self.hosts, &other.hosts) && globs(&self.paths, &other.paths) && methods && expression && not
    }

    /// All hosts that are spoken of, but for those that are excluded.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().map(String::as_str)
    }
}

/// The URLs that a redirect starts from. A `*` stands for any run of characters and is captured, from the left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlGlob {
    /// `https` alone (true), `http` alone (false), or both.
    pub https: Option<bool>,
    /// The host, perhaps with stars.
    pub host: String,
    /// The path, from its slash on, perhaps with stars.
    pub path: String,
    /// The query, when one is said, perhaps with stars.
    pub query: Option<String>,
}

impl UrlGlob {
    /// Reads `[http://|https://]HOST/PATH[?QUERY]`. The error says what is missing.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (https, rest) = match text.split_once("://") {
            None => (None, text),
            Some(("https", rest)) => (Some(true), rest),
            Some(("http", rest)) => (Some(false), rest),
            Some(("*" | "http*", rest)) => (None, rest),
            Some((scheme, _)) => return Err(format!("`{scheme}://` is neither http:// nor https://")),
        };
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("a URL holds no space".to_owned());
        }
        if rest.contains('#') {
            return Err("what follows a `#` never reaches a server".to_owned());
        }
        let (host, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => {
                return Err(format!(
                    "it has no path: write {rest}/* for the whole host, or {rest}/ for its front page"
                ));
            }
        };
        if host.is_empty() {
            return Err("it has no host".to_owned());
        }
        if host.contains([':', '@', '?']) {
            return Err("its host is a name, without a user and without a port".to_owned());
        }
        let (path, query) = match path.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (path, None),
        };
        Ok(Self {
            https,
            host: host.to_lowercase(),
            path: path.to_owned(),
            query,
        })
    }

    /// How many stars its host and path have.
    pub fn captures(&self) -> usize {
        self.host.matches('*').count() + self.path.matches('*').count()
    }

    /// Whether every URL that `other` covers is covered by this one too. Never true by mistake; not always found.
    pub fn covers(&self, other: &Self) -> bool {
        let scheme = self.https.is_none() || self.https == other.https;
        let query = match (&self.query, &other.query) {
            (None, _) => true,
            (Some(mine), Some(theirs)) => covers(mine, theirs),
            (Some(_), None) => false,
        };
        scheme && query && covers(&self.host, &other.host) && covers(&self.path, &other.path)
    }
}

/// Whether a glob covers everything that another covers: a star of the other must fall into one of ours.
fn covers(glob: &str, other: &str) -> bool {
    let (glob, other): (Vec<char>, Vec<char>) = (glob.chars().collect(), other.chars().collect());
    // Which states of `glob` can have been reached after so many characters of `other`.
    let mut reached = vec![false; glob.len() + 1];
    reached[0] = true;
    let skip_stars = |reached: &mut Vec<bool>| {
        for at in 0..glob.len() {
            if reached[at] && glob[at] == '*' {
                reached[at + 1] = true;
            }
        }
    };
    skip_stars(&mut reached);
    for c in other {
        let mut next = vec![false; glob.len() + 1];
        for at in 0..glob.len() {
            if !reached[at] {
                continue;
            }
            if glob[at] == '*' {
                next[at] = true;
            } else if glob[at] == c && c != '*' {
                next[at + 1] = true;
            }
        }
        skip_stars(&mut next);
        reached = next;
    }
    reached[glob.len()]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_url_glob_comes_apart() {
        let glob = UrlGlob::parse("https://WWW.acme.example/Old/*?id=7").unwrap();
        assert_eq!(
            (
                glob.https,
                glob.host.as_str(),
                glob.path.as_str(),
                glob.query.as_deref()
            ),
            (Some(true), "www.acme.example", "/Old/*", Some("id=7"))
        );
        assert_eq!(UrlGlob::parse("*.acme.example/*").unwrap().captures(), 2);
        for (bad, why) in [
            ("acme.example", "no path"),
            ("ftp://acme.example/", "neither"),
            ("/old", "no host"),
            ("acme.example:8080/", "port"),
            ("acme.example/a b", "space"),
            ("acme.example/#top", "#"),
        ] {
            let error = UrlGlob::parse(bad).unwrap_err();
            assert!(error.contains(why), "{bad}: {error}");
        }
    }

    #[test]
    fn one_glob_covers_another_only_when_it_surely_does() {
        let covers = |a: &str, b: &str| UrlGlob::parse(a).unwrap().covers(&UrlGlob::parse(b).unwrap());
        for (a, b) in [
            ("acme.example/*", "https://acme.example/old"),
            ("*.acme.example/*", "www.acme.example/a/*"),
            ("acme.example/*/b/*", "acme.example/a/b/c"),
            ("acme.example/a", "acme.example/a?x=1"),
            ("acme.example/**", "acme.example/*"),
        ] {
            assert!(covers(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("https://acme.example/*", "acme.example/a"),
            ("acme.example/a", "acme.example/*"),
            ("acme.example/a*", "acme.example/*"),
            ("acme.example/a?x=1", "acme.example/a"),
            ("www.acme.example/*", "acme.example/a"),
        ] {
            assert!(!covers(a, b), "{a} {b}");
        }
    }
}
