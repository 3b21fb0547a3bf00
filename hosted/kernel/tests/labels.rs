// SPDX-License-Identifier: BSD-2-Clause

//! The numbers of invocations are those of the hosted platform's libsel4.

use sel4_hosted_kernel::Invocation;
use sel4_hosted_libsel4::api;

#[test]
fn labels_are_those_of_libsel4() {
    for (number, label) in (1..).zip(api::Invocation::ALL) {
        assert_eq!(number, label as usize);
        let ours = Invocation::from_name(&format!("{label:?}"));
        assert_eq!(ours, Some(Invocation::ALL[number - 1]), "{label:?}");
    }
}
