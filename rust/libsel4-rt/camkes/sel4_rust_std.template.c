/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Objects for Rust's std in an instance of a CAmkES component: threads, whose number and priority the assembly sets
 * (`x.rust_std_threads`, `x.rust_std_priority`), and notifications for these, for CAmkES' own threads, and for locks.
 */
#include <camkes/tls.h>
#include <sel4/sel4.h>
#include <sel4std_component.h>
#include <utils/util.h>

/* clang-format off */
/*- set mine = configuration[me.name] -*/
/*- set own = macros.threads(composition, me, mine, options) -*/
/*- set count = mine.get('rust_std_threads', 4) -*/
/*? assert(isinstance(count, six.integer_types) and count > 0, '%s.rust_std_threads is %s; it must be a number above 0' % (me.name, count)) ?*/
/*- if options.debug_fault_handlers -*/
    /*# The last is CAmkES' fault handler, which does not use std. #*/
    /*- do own.pop() -*/
    /*- set fault_ep = alloc_obj('fault_ep', seL4_EndpointObject) -*/
/*- endif -*/
/*- set control = alloc_obj('%s_tcb' % own[0].name, seL4_TCBObject) -*/
/*- set entries = [] -*/
/*- for t in own -*/
    extern char /*? t.stack_symbol ?*/[];
    /*- set tcb_object = alloc_obj('%s_tcb' % t.name, seL4_TCBObject) -*/
    /*- set tcb = alloc_cap('%s_tcb' % t.name, tcb_object) -*/
    /*- set notification = alloc('sel4_rust_std_own_%d' % loop.index, seL4_NotificationObject, read=True, write=True) -*/
    /*- set stack = '%s, %s + ROUND_UP_UNSAFE(%d, PAGE_SIZE_4K) + 2 * PAGE_SIZE_4K, NULL' % (t.stack_symbol, t.stack_symbol, t.stack_size) -*/
    /*- do entries.append((tcb, 0, notification, tcb_object.prio, stack)) -*/
/*- endfor -*/
/* The last is libsel4std's own. */
/*- for i in six.moves.range(count + 1) -*/
    /*- set name = 'sel4_rust_std_%d' % i -*/
    /*- set ipc = '%s_ipc' % name -*/
    /*? macros.ipc_buffer(ipc) ?*/
    /*- set frame = alloc_obj('frame_%s' % ipc, seL4_FrameObject) -*/
    /*- do register_ipc_symbol(ipc, frame) -*/
    /*- set tcb_object = alloc_obj('%s_tcb' % name, seL4_TCBObject) -*/
    /*- set tcb = alloc_cap('%s_tcb' % name, tcb_object) -*/
    /*- do tcb_object.__setitem__('ipc_buffer_slot', Cap(frame, read=True, write=True)) -*/
    /*- do tcb_object.__setitem__('vspace', Cap(my_pd)) -*/
    /*- set cnode_cap = Cap(my_cnode) -*/
    /*- do my_cnode.update_guard_size_caps.append(cnode_cap) -*/
    /*- do tcb_object.__setitem__('cspace', cnode_cap) -*/
    /*- do tcb_object.__setattr__('addr', "get_vaddr('%s') + 4096" % ipc) -*/
    /*- do tcb_object.__setattr__('resume', false) -*/
    /*- do macros.set_tcb_properties(tcb_object, options, mine, 'rust_std_') -*/
    /*- if mine.get('rust_std_priority') is none -*/
        /*- do tcb_object.__setattr__('prio', control.prio) -*/
    /*- endif -*/
    /*- set context = [0] -*/
    /*- if options.realtime -*/
        /*- set sc_object = alloc_obj('%s_sc' % name, seL4_SchedContextObject) -*/
        /*- do context.__setitem__(0, alloc_cap('%s_sc' % name, sc_object)) -*/
        /*- do tcb_object.__setitem__('sc_slot', Cap(sc_object)) -*/
        /*- do macros.set_sc_properties(sc_object, options, mine, 'rust_std_') -*/
    /*- endif -*/
    /*- if options.debug_fault_handlers -*/
        /*- if options.realtime -*/
            /*- do tcb_object.set_fault_ep_slot(fault_ep=fault_ep.name, badge=tcb) -*/
        /*- else -*/
            /*- do setattr(tcb_object, 'fault_ep_slot', alloc_cap('fault_ep_%s' % name, fault_ep, read=True, write=True, grantreply=True, badge=tcb)) -*/
        /*- endif -*/
    /*- endif -*/
    /*- set notification = alloc('%s_notification' % name, seL4_NotificationObject, read=True, write=True) -*/
    /*- do entries.append((tcb, context[0], notification, tcb_object.prio, 'NULL, NULL, %s + PAGE_SIZE_4K' % ipc)) -*/
/*- endfor -*/

const component_thread_t sel4std_component_threads[] = {
/*- for tcb, context, notification, priority, rest in entries -*/
    { /*? tcb ?*/, /*? context ?*/, /*? notification ?*/, /*? priority ?*/, /*? rest ?*/ },
/*- endfor -*/
};
const unsigned sel4std_component_own = /*? len(own) ?*/;
const unsigned sel4std_component_all = /*? len(entries) ?*/;
uint64_t sel4std_component_table[/*? len(entries) ?*/][COMPONENT_THREAD_WORDS];

const seL4_CPtr sel4std_component_notifications[] = {
/*- for i in six.moves.range(4) -*/
    /*- set notification = alloc('sel4_rust_std_lock_%d' % i, seL4_NotificationObject, read=True, write=True) -*/
    /*? notification ?*/,
/*- endfor -*/
};
const unsigned sel4std_component_notification_count = ARRAY_SIZE(sel4std_component_notifications);

/*- set control_cap = [0] -*/
/*- if options.realtime -*/
    /*- do control_cap.__setitem__(0, alloc('sel4_rust_std_control', seL4_SchedControl, core=mine.get('rust_std_affinity', options.default_affinity))) -*/
/*- endif -*/
const seL4_CPtr sel4std_component_control = /*? control_cap[0] ?*/;

/*- if options.architecture == 'x86_64' -*/
static char sel4_rust_std_frequency[PAGE_SIZE_4K] ALIGN(PAGE_SIZE_4K) SECTION("align_12bit") USED;
/*- do register_fill_frame('sel4_rust_std_frequency', 'CDL_FrameFill_BootInfo CDL_FrameFill_BootInfo_X86_TSC_Freq', 4096) -*/
const void *const sel4std_component_frequency = sel4_rust_std_frequency;
/*- else -*/
const void *const sel4std_component_frequency = NULL;
/*- endif -*/
