// SPDX-License-Identifier: GPL-2.0-only

//! Invocations of kernel objects, and their labels.

use crate::arch;

macro_rules! invocations {
    ($($name:ident)*) => {
        /// Invocation of a kernel object, by libsel4's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, non_camel_case_types)]
        pub enum Invocation {
            $($name,)*
        }

        impl Invocation {
            /// All invocations, in the order of libsel4.
            pub const ALL: &[Invocation] = &[$(Invocation::$name),*];

            /// Returns libsel4's name of the invocation.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Invocation::$name => stringify!($name),)*
                }
            }

            /// Returns the invocation with libsel4's name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Invocation> {
                Invocation::ALL.iter().copied().find(|invocation| invocation.name() == name)
            }
        }
    };
}

invocations! {
    UntypedRetype
    TCBReadRegisters TCBWriteRegisters TCBCopyRegisters TCBConfigure TCBSetPriority TCBSetMCPriority
    TCBSetSchedParams TCBSetIPCBuffer TCBSetSpace TCBSuspend TCBResume TCBBindNotification
    TCBUnbindNotification TCBSetTLSBase TCBSetFlags
    CNodeRevoke CNodeDelete CNodeCancelBadgedSends CNodeCopy CNodeMint CNodeMove CNodeMutate
    CNodeRotate CNodeSaveCaller
    IRQIssueIRQHandler IRQAckIRQ IRQSetIRQHandler IRQClearIRQHandler
    DomainSetSet DomainScheduleConfigure DomainScheduleSetStart
    X86PDPTMap X86PDPTUnmap X86PageDirectoryMap X86PageDirectoryUnmap X86PageTableMap
    X86PageTableUnmap X86PageMap X86PageUnmap X86PageGetAddress X86ASIDControlMakePool
    X86ASIDPoolAssign X86IOPortControlIssue X86IOPortIn8 X86IOPortIn16 X86IOPortIn32 X86IOPortOut8
    X86IOPortOut16 X86IOPortOut32 X86IRQIssueIRQHandlerIOAPIC X86IRQIssueIRQHandlerMSI
    ARMVSpaceClean_Data ARMVSpaceInvalidate_Data ARMVSpaceCleanInvalidate_Data
    ARMVSpaceUnify_Instruction ARMSMCCall ARMPageTableMap ARMPageTableUnmap ARMPageMap ARMPageUnmap
    ARMPageClean_Data ARMPageInvalidate_Data ARMPageCleanInvalidate_Data ARMPageUnify_Instruction
    ARMPageGetAddress ARMASIDControlMakePool ARMASIDPoolAssign ARMIRQIssueIRQHandlerTrigger
    ARMIRQIssueSGISignal
    TCBSetAffinity TCBSetTimeoutEndpoint SchedControlConfigureFlags SchedContextBind
    SchedContextUnbind SchedContextUnbindObject SchedContextConsumed SchedContextYieldTo
}

/// Labels of invocations, which depend on the configuration of libsel4.
#[derive(Clone, Debug)]
pub struct Labels {
    by_label: Vec<Option<Invocation>>,
}

impl Labels {
    /// Makes a table of pairs of a label and its invocation. Ignores labels from 1024 on.
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (usize, Invocation)>) -> Self {
        let mut by_label = Vec::new();
        for (label, invocation) in pairs {
            if label < 1024 {
                if by_label.len() <= label {
                    by_label.resize(label + 1, None);
                }
                by_label[label] = Some(invocation);
            }
        }
        Labels { by_label }
    }

    /// Returns the invocation with a label.
    #[inline]
    #[must_use]
    pub fn get(&self, label: usize) -> Option<Invocation> {
        self.by_label.get(label).copied().flatten()
    }
}

/// Invocations that exist only with mixed-criticality scheduling.
const MCS_INVOCATIONS: [Invocation; 7] = [
    Invocation::TCBSetTimeoutEndpoint,
    Invocation::SchedControlConfigureFlags,
    Invocation::SchedContextBind,
    Invocation::SchedContextUnbind,
    Invocation::SchedContextUnbindObject,
    Invocation::SchedContextConsumed,
    Invocation::SchedContextYieldTo,
];

/// Returns whether this architecture has the invocation.
fn is_available(invocation: Invocation) -> bool {
    !invocation.name().starts_with(arch::FOREIGN_PREFIX)
}

impl Labels {
    /// Returns the labels of libsel4 for mixed-criticality scheduling.
    #[must_use]
    pub fn mcs() -> Self {
        let mut all = Vec::new();
        for invocation in Invocation::ALL.iter().copied() {
            match invocation {
                Invocation::CNodeSaveCaller | Invocation::TCBSetAffinity => continue,
                arch::FIRST_INVOCATION => all.extend(&MCS_INVOCATIONS[1..]),
                Invocation::TCBSetIPCBuffer => all.push(MCS_INVOCATIONS[0]),
                _ => {}
            }
            if is_available(invocation) && !MCS_INVOCATIONS.contains(&invocation) {
                all.push(invocation);
            }
        }
        Labels::new((1..).zip(all))
    }
}

impl Default for Labels {
    /// Returns the labels of libsel4 for a single core without mixed-criticality scheduling: 1, 2,
    /// 3, … in order, without `TCBSetAffinity`.
    fn default() -> Self {
        let mut all = Invocation::ALL.to_vec();
        all.retain(|invocation| {
            *invocation != Invocation::TCBSetAffinity
                && is_available(*invocation)
                && !MCS_INVOCATIONS.contains(invocation)
        });
        Labels::new((1..).zip(all))
    }
}
