//! Level 1: what is managed, in canonical form. No I/O, no clock, no provider, no spec.

pub mod address;
pub mod capability;
pub mod check;
pub mod contact;
pub mod inventory;
pub mod matching;
pub mod monitor;
pub mod name;
pub mod record;
pub mod record_set;
pub mod redirect_list;
pub mod resource;
pub mod rule;
pub mod scope;
pub mod setting;
pub mod setting_form;
pub mod ttl;
pub mod window;
