// SPDX-License-Identifier: GPL-2.0-only

//! Labels of invocations, compared with those of the hosted platform's libsel4, with its feature
//! `mcs` or without.

use sel4_hosted_kernel::{Invocation, Labels};
use sel4_hosted_libsel4::api;

#[test]
fn labels_are_those_of_libsel4() {
    let theirs = api::Invocation::ALL.map(|label| (format!("{label:?}"), label as usize));
    let labels = match theirs.iter().any(|(name, _)| name == "SchedContextBind") {
        true => Labels::mcs(),
        false => Labels::default(),
    };
    for (name, number) in &theirs {
        let known = Invocation::from_name(name);
        assert!(known.is_some() && labels.get(*number) == known, "{name}");
    }
    assert_eq!(labels.get(theirs.len() + 1), None);
}
