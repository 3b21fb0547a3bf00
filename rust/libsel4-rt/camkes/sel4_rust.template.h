/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Facts of the assembly about the interfaces of an instance, which the declarations in camkes.h do not tell: one macro for
 * each. The generator of the bindings for Rust reads them.
 */
/* clang-format off */
/*- set facts = [] -*/
/*- set connected = set() -*/
/*- for connection in composition.connections -*/
    /*- for end in connection.from_ends + connection.to_ends -*/
        /*- if end.instance.name == me.name -*/
            /*- do connected.add(end.interface.name) -*/
        /*- endif -*/
    /*- endfor -*/
    /*- if connection.type.name == 'seL4DirectCall' -*/
        /*- for end in connection.from_ends -*/
            /*- if end.instance.name == me.name -*/
                /*- do facts.append('direct %s' % end.interface.name) -*/
            /*- endif -*/
        /*- endfor -*/
    /*- endif -*/
    /*- if connection.type.name in ['seL4HardwareInterrupt', 'seL4IOAPICHardwareInterrupt'] -*/
        /*- for end in connection.to_ends -*/
            /*- if end.instance.name == me.name -*/
                /*- do facts.append('interrupt %s' % end.interface.name) -*/
            /*- endif -*/
        /*- endfor -*/
    /*- endif -*/
/*- endfor -*/
/*- for kind, interfaces in [('uses', me.type.uses), ('provides', me.type.provides)] -*/
    /*- for interface in interfaces -*/
        /*- do facts.append('%s %s' % (kind, interface.name)) -*/
        /*- for method in interface.type.methods -*/
            /*- do facts.append('method %s %s' % (interface.name, method.name)) -*/
            /*- for parameter in method.parameters -*/
                /*- if parameter.direction == 'inout' -*/
                    /*- do facts.append('inout %s %s %s' % (interface.name, method.name, parameter.name)) -*/
                /*- endif -*/
            /*- endfor -*/
        /*- endfor -*/
    /*- endfor -*/
/*- endfor -*/
/*- for kind, things in [('emits', me.type.emits), ('consumes', me.type.consumes), ('dataport', me.type.dataports), ('mutex', me.type.mutexes), ('semaphore', me.type.semaphores), ('binary_semaphore', me.type.binary_semaphores)] -*/
    /*- for thing in things -*/
        /*- do facts.append('%s %s' % (kind, thing.name)) -*/
    /*- endfor -*/
/*- endfor -*/
/*- for interface in me.type.uses + me.type.consumes + me.type.dataports -*/
    /*- if interface.optional -*/
        /*- do facts.append('optional %s' % interface.name) -*/
        /*- if interface.name not in connected -*/
            /*- do facts.append('unconnected %s' % interface.name) -*/
        /*- endif -*/
    /*- endif -*/
/*- endfor -*/
/*- for attribute in me.type.attributes -*/
    /*- if configuration[me.name].get(attribute.name) is not none -*/
        /*- do facts.append('attribute %s' % attribute.name) -*/
    /*- endif -*/
/*- endfor -*/

/*- for fact in facts -*/
#define sel4_rust_fact_/*? loop.index ?*/ "/*? fact ?*/"
/*- endfor -*/
