//! Resource limits, as far as they may be raised: setrlimit(2).

use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Sets a resource limit of this process. A limit above the current hard limit that may not be
/// raised is lowered to it; that hard limit is then returned.
///
/// # Errors
///
/// `EINVAL` if the soft limit is above the hard one.
pub fn set(resource: Resource, wanted: Rlimit) -> Result<Option<u64>, Errno> {
    match setrlimit(resource, wanted) {
        Err(Errno::PERM) => {
            let ceiling = getrlimit(resource).maximum;
            setrlimit(resource, below(wanted, ceiling))?; // lowering is always permitted
            Ok(Some(ceiling.unwrap_or(u64::MAX)))
        }
        result => result.map(|()| None),
    }
}

/// Lowers a limit to `ceiling`.
fn below(wanted: Rlimit, ceiling: Option<u64>) -> Rlimit {
    let lower = |limit: Option<u64>| match (limit, ceiling) {
        (Some(limit), Some(ceiling)) => Some(limit.min(ceiling)),
        (limit, ceiling) => limit.or(ceiling),
    };
    Rlimit { current: lower(wanted.current), maximum: lower(wanted.maximum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_cut_to_what_can_be_had() {
        let wanted = |soft, hard| Rlimit { current: soft, maximum: hard };
        let table = [
            (wanted(Some(1024), Some(524_288)), Some(4096), (Some(1024), Some(4096))),
            (wanted(Some(1024), Some(524_288)), Some(256), (Some(256), Some(256))),
            (wanted(None, None), Some(256), (Some(256), Some(256))),
            (wanted(Some(8), None), Some(256), (Some(8), Some(256))),
            (wanted(Some(8), Some(9)), None, (Some(8), Some(9))),
        ];
        for (wanted, ceiling, want) in table {
            let cut = below(wanted, ceiling);
            assert_eq!((cut.current, cut.maximum), want, "{wanted:?} below {ceiling:?}");
        }
    }
}
