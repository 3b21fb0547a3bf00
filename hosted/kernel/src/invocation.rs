// SPDX-License-Identifier: GPL-2.0-only

//! What an object can be asked for, and the numbers by which it is.

use crate::arch;

macro_rules! invocations {
    ($($name:ident)*) => {
        /// What an object can be asked for, by libsel4's names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, non_camel_case_types)]
        pub enum Invocation {
            $($name,)*
        }

        impl Invocation {
            /// All of them, in the order of libsel4.
            pub const ALL: &[Invocation] = &[$(Invocation::$name),*];

            /// libsel4's name of it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Invocation::$name => stringify!($name),)*
                }
            }

            /// The one that libsel4 calls so.
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

/// The numbers of invocations, as a build of libsel4 has them.
#[derive(Clone, Debug)]
pub struct Labels {
    by_number: Vec<Option<Invocation>>,
}

impl Labels {
    /// Of pairs of a number and what it is for. Numbers from 1024 on are none.
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (usize, Invocation)>) -> Self {
        let mut by_number = Vec::new();
        for (number, invocation) in pairs {
            if number < 1024 {
                if by_number.len() <= number {
                    by_number.resize(number + 1, None);
                }
                by_number[number] = Some(invocation);
            }
        }
        Labels { by_number }
    }

    /// What a number is for.
    #[inline]
    #[must_use]
    pub fn get(&self, number: usize) -> Option<Invocation> {
        self.by_number.get(number).copied().flatten()
    }
}

/// Invocations that only a kernel with mixed-criticality scheduling has.
const MCS_INVOCATIONS: [Invocation; 7] = [
    Invocation::TCBSetTimeoutEndpoint,
    Invocation::SchedControlConfigureFlags,
    Invocation::SchedContextBind,
    Invocation::SchedContextUnbind,
    Invocation::SchedContextUnbindObject,
    Invocation::SchedContextConsumed,
    Invocation::SchedContextYieldTo,
];

/// Whether this architecture has it.
fn is_available(invocation: Invocation) -> bool {
    !invocation.name().starts_with(arch::FOREIGN_PREFIX)
}

impl Labels {
    /// As libsel4 of a kernel with mixed-criticality scheduling has them.
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
    /// Numbers from 1 on, in order, as libsel4 of a kernel for one core has them: it sets no
    /// affinity.
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
