//! The full-screen terminal UI.
//!
//! ```text
//!  keys, mouse ─┐                  ┌─▶ view ─▶ screen     (pure: model → cells)
//!  engine news ─┼─ Event ─ update ─┤
//!  tasks ───────┘   (pure)   │     └─▶ wants              (pure: what must be open)
//!        ▲                   ▼
//!        └── driver ◀──── Effect        (owns engine, terminal, tasks; the only I/O)
//! ```
//! `update` is the only code that changes the [`model`]; it awaits nothing, so every key is
//! answered in the next frame whatever the engine does.

pub mod action;
pub mod event;
#[cfg(test)]
mod fixture;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod model;
pub mod terminal;
pub mod theme;
pub mod update;
pub mod view;
