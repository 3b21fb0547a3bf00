/*
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * Random sequences of operations. A sequence is a number, from which each of its steps follows by itself, so that steps
 * can be left out and the others stay what they are. What a sequence says becomes one number, or is shown.
 *
 * Three threads do what blocks. They are more important than the main thread, so that each has done what it can before
 * the next step.
 */
#include <stdio.h>
#include <sel4runtime.h>
#include "world.h"

#define STEPS 30
#define DIGESTS_PER_LINE 8

static const struct {
    unsigned first, count;
    unsigned long steps;
    int show;
} plan[] = {
#include PLAN
};

/* Slots that steps use, by number. Most are empty at the beginning. */
#define PLACES 20
enum {
    MEMORY,
    SMALL_MEMORY,
    ENDPOINT,
    NOTIFICATION,
    NODE,
    FIRST_TCB,
    PAGE = FIRST_TCB + 3,
    TABLE,
    BADGED_ENDPOINT,
    BADGED_NOTIFICATION,
    EMPTY
};
static seL4_CPtr places;
#define NODE_BITS 3

/* As seL4_DebugCapIdentify() numbers them. */
enum { KIND_ENDPOINT = 4, KIND_NOTIFICATION = 6, KIND_REPLY = 8 };

/* Faults come with this badge; what threads send has labels from LABEL on. */
#define FAULT_BADGE 77
#define LABEL 100
#define PAGES 0x18000000ul

enum { SEND, NB_SEND, CALL, RECEIVE, NB_RECEIVE, REPLY, REPLY_RECEIVE, SIGNAL, WAIT, POLL, YIELD, READ, WRITE, DEEDS };
static const char *const deed_names[DEEDS] = { "send",  "nb_send",       "call",   "receive", "nb_receive",
                                               "reply", "reply_receive", "signal", "wait",    "poll",
                                               "yield", "read",          "write" };

/* What a thread is to do next. */
struct order {
    seL4_CPtr wake;
    int idle;
    unsigned deed;
    seL4_Word place, gift;
};
#define WORKERS 3
static struct order orders[WORKERS];

/* What the main thread receives from, whatever becomes of the places. */
static seL4_CPtr inbox;

static unsigned long state;

/* SplitMix64. */
static unsigned long draw(unsigned long below)
{
    state += 0x9e3779b97f4a7c15ul;
    unsigned long z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
    z = (z ^ z >> 27) * 0x94d049bb133111ebul;
    return (z ^ z >> 31) % below;
}

static seL4_CPtr place(seL4_Word number)
{
    return places + number;
}

/* A message or fault without what depends on the image: instruction pointers, numbers of slots. */
static void say_received(const char *what, seL4_MessageInfo_t info, seL4_Word badge)
{
    seL4_Word label = seL4_MessageInfo_get_label(info), mr[4];
    for (int i = 0; i < 4; i++) {
        mr[i] = seL4_GetMR(i);
    }
    if (badge == FAULT_BADGE && label == seL4_Fault_VMFault) {
        say("%s: fault at %lx, status %lx", what, mr[seL4_VMFault_Addr], mr[seL4_VMFault_FSR]);
    } else if (badge == FAULT_BADGE && label == seL4_Fault_CapFault) {
        say("%s: fault of place %ld, receiving %lu", what, (long)(mr[seL4_CapFault_Addr] - places),
            mr[seL4_CapFault_InRecvPhase]);
    } else if (label >= LABEL) {
        say_message(what, info, badge);
        for (seL4_Word i = 0; i < seL4_MessageInfo_get_extraCaps(info); i++) {
            if (seL4_MessageInfo_get_capsUnwrapped(info) >> i & 1) {
                say("  unwrapped: badge %lu", seL4_GetBadge(i));
            }
        }
    } else {
        say("%s: badge %lu", what, badge);
    }
}

static seL4_MessageInfo_t message(struct order *order)
{
    seL4_SetMR(0, order->deed);
    seL4_SetMR(1, order->gift);
    seL4_SetCap(0, place(order->gift));
    return seL4_MessageInfo_new(LABEL + order->deed, 0, order->gift < PLACES, 2);
}

/* Returns whether a badge is that of a signal or of nothing: no message comes with it. Messages without a badge count as such. */
static int is_signal(seL4_Word badge)
{
    return badge != FAULT_BADGE && badge < LABEL;
}

static void received(const char *what, seL4_MessageInfo_t info, seL4_Word badge)
{
    if (is_signal(badge)) {
        say("%s: badge %lu", what, badge);
    } else {
        say_received(what, info, badge);
    }
}

static void work(seL4_Word own, seL4_Word unused)
{
    (void)unused;
    struct order *order = (struct order *)own;
    for (;;) {
        seL4_Word badge = 0;
        order->idle = 1;
        seL4_Wait(order->wake, &badge);
        order->idle = 0;
        seL4_CPtr through = place(order->place);
        const char *what = deed_names[order->deed];
        say("%s, place %lu, gift %lu", what, order->place, order->gift);
        seL4_SetCapReceivePath(AT(place(order->gift % PLACES)));
        switch (order->deed) {
        case SEND:
            seL4_Send(through, message(order));
            say("sent");
            break;
        case NB_SEND: seL4_NBSend(through, message(order)); break;
        case CALL: {
            seL4_MessageInfo_t info = seL4_Call(through, message(order));
            say("answer: label %lu", seL4_MessageInfo_get_label(info));
            break;
        }
        case RECEIVE: {
            seL4_MessageInfo_t info = recv(through, &badge);
            received(what, info, badge);
            break;
        }
        case NB_RECEIVE: {
            seL4_MessageInfo_t info = nb_recv(through, &badge);
            received(what, info, badge);
            break;
        }
        case REPLY: reply(seL4_MessageInfo_new(LABEL, 0, 0, 0)); break;
        case REPLY_RECEIVE: {
            seL4_MessageInfo_t info = reply_recv(through, seL4_MessageInfo_new(LABEL + 1, 0, 0, 0), &badge);
            received(what, info, badge);
            break;
        }
        case SIGNAL: seL4_Signal(through); break;
        case WAIT:
            seL4_Wait(through, &badge);
            say("woken: badge %lu", badge);
            break;
        case POLL:
            seL4_Poll(through, &badge);
            say("poll: badge %lu", badge);
            break;
        case YIELD: seL4_Yield(); break;
        case READ: say("has read %lx", probe_read(PAGES + 0x1000 * (order->place & 3))); break;
        case WRITE: probe_write(PAGES + 0x1000 * (order->place & 3), order->gift); break;
        }
        say("done");
    }
}

static void begin(void)
{
    places = slot();
    /* A retype of several objects may go beyond the last. */
    for (int i = 1; i < PLACES + 4; i++) {
        slot();
    }
    const struct {
        seL4_Word type, size_bits;
    } objects[] = {
        [MEMORY] = { seL4_UntypedObject, 14 },          [SMALL_MEMORY] = { seL4_UntypedObject, 8 },
        [ENDPOINT] = { seL4_EndpointObject, 0 },        [NOTIFICATION] = { seL4_NotificationObject, 0 },
        [NODE] = { seL4_CapTableObject, NODE_BITS },    [PAGE] = { SMALL_PAGE, 0 },
        [TABLE] = { table_types[TABLE_LEVELS - 1], 0 },
    };
    for (unsigned i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        if (i < FIRST_TCB || i >= PAGE) {
            seL4_Untyped_Retype(world_untyped(), objects[i].type, objects[i].size_bits, seL4_CapInitThreadCNode, 0, 0,
                                place(i), 1);
        }
    }
    seL4_CNode_Mint(AT(place(BADGED_ENDPOINT)), AT(place(ENDPOINT)), seL4_AllRights, LABEL + 5);
    seL4_CNode_Mint(AT(place(BADGED_NOTIFICATION)), AT(place(NOTIFICATION)), seL4_AllRights, 2);
    inbox = mint(place(ENDPOINT), seL4_AllRights, 0);
    seL4_CPtr handler = mint(place(ENDPOINT), seL4_AllRights, FAULT_BADGE);
    for (int i = 0; i < WORKERS; i++) {
        static const char *const names[] = { "a", "b", "c" };
        static const seL4_Word priorities[] = { 150, 150, 160 };
        orders[i].wake = make(seL4_NotificationObject);
        orders[i].idle = 0;
        struct thread *thread = thread_make(names[i], priorities[i], work, (seL4_Word)&orders[i], 0);
        thread_set_fault_handler(thread, handler);
        seL4_CNode_Copy(AT(place(FIRST_TCB + i)), AT(thread->tcb), seL4_AllRights);
        seL4_CNode_Delete(AT(thread->tcb));
        seL4_TCB_Resume(place(FIRST_TCB + i));
    }
}

/* Whether an invocation through it would be a message, for whose answer the main thread would wait. */
static int waits(seL4_CPtr capability)
{
    unsigned kind = seL4_DebugCapIdentify(capability);
    return kind == KIND_ENDPOINT || kind == KIND_REPLY;
}

struct where {
    seL4_CPtr root;
    seL4_Word index, depth;
};

/* Mostly a place that is taken at the beginning, or one that is not. */
static seL4_Word draw_taken(void)
{
    return draw(4) ? draw(EMPTY) : draw(PLACES);
}

static seL4_Word draw_empty(void)
{
    return draw(4) ? EMPTY + draw(PLACES - EMPTY) : draw(PLACES);
}

/* A place in the root CNode, or in the small one; sometimes with a depth that does not fit. */
static struct where draw_where(const char *what, seL4_Word number)
{
    seL4_Word in_node = draw(6) == 0, wrong = draw(20) == 0;
    say("  %s %lu%s%s", what, number, in_node ? " of the small node" : "", wrong ? ", wrong depth" : "");
    if (in_node) {
        return (struct where) { place(NODE), number % (1 << NODE_BITS), wrong ? NODE_BITS + 2 : NODE_BITS };
    }
    return (struct where) { seL4_CapInitThreadCNode, place(number), wrong ? 20 : seL4_WordBits };
}

static seL4_CapRights_t draw_rights(void)
{
    seL4_Word bits = draw(3) ? 15 : draw(16);
    return seL4_CapRights_new(bits >> 3, bits >> 2 & 1, bits >> 1 & 1, bits & 1);
}

/* Badges of notifications are small, those of endpoints large, so that a receiver knows what came. */
static seL4_Word draw_badge(seL4_CPtr source)
{
    static const seL4_Word small[] = { 0, 1, 4, 9 }, large[] = { 0, LABEL + 1, LABEL + 2, LABEL + 64 };
    return (seL4_DebugCapIdentify(source) == KIND_NOTIFICATION ? small : large)[draw(4)];
}

/* The main thread takes what waits at the endpoint. */
static void receive(seL4_Word number)
{
    seL4_Word badge;
    if (taken(inbox)) {
        seL4_SetCapReceivePath(AT(place(number)));
        seL4_MessageInfo_t info = nb_recv(inbox, &badge);
        received("receive", info, badge);
    }
}

static void step(void)
{
    const seL4_Word types[] = {
        seL4_UntypedObject,  seL4_TCBObject, seL4_EndpointObject,           seL4_NotificationObject,
        seL4_CapTableObject, SMALL_PAGE,     table_types[TABLE_LEVELS - 1], VSPACE
    };
    seL4_Word what = draw(44), number = draw_taken();
    seL4_CPtr it = place(number);
    if (what >= 12 && what < 24 && waits(it)) {
        /* A message that is not waited for, in place of an invocation. */
        seL4_SetMR(0, what);
        seL4_NBSend(it, seL4_MessageInfo_new(LABEL + what, 0, 0, 1));
        say("nb_send to %lu", number);
        return;
    }
    switch (what) {
    case 0:
    case 1: {
        static const seL4_Word sizes[] = { 0, 2, 4, 8, 12, 60 };
        seL4_Word type = draw(sizeof(types) / sizeof(types[0])), size = sizes[draw(6)], to = draw_empty(),
                  count = draw(4);
        seL4_CPtr memory = place(draw(4) ? draw(2) : number);
        say("retype to %lu, type %lu, size %lu, count %lu", to, type, size, count);
        if (!waits(memory)) {
            attempt("retype",
                    seL4_Untyped_Retype(memory, types[type], size, seL4_CapInitThreadCNode, 0, 0, place(to), count));
        }
        break;
    }
    case 2:
    case 3: {
        struct where to = draw_where("to", draw_empty()), from = draw_where("from", draw_taken());
        if (!waits(to.root)) {
            attempt("copy",
                    seL4_CNode_Copy(to.root, to.index, to.depth, from.root, from.index, from.depth, draw_rights()));
        }
        break;
    }
    case 4:
    case 5: {
        /* From the root CNode: its badge depends on what it is. */
        struct where to = draw_where("to", draw_empty());
        seL4_CPtr from = place(number);
        seL4_CapRights_t rights = draw_rights();
        say("  from %lu", number);
        if (!waits(to.root)) {
            attempt("mint", seL4_CNode_Mint(to.root, to.index, to.depth, AT(from), rights, draw_badge(from)));
        }
        break;
    }
    case 6: {
        struct where to = draw_where("to", draw_empty()), from = draw_where("from", draw_taken());
        if (!waits(to.root)) {
            attempt("move", seL4_CNode_Move(to.root, to.index, to.depth, from.root, from.index, from.depth));
        }
        break;
    }
    case 7: {
        struct where to = draw_where("to", draw_empty()), from = draw_where("from", draw_taken());
        if (!waits(to.root)) {
            attempt("mutate",
                    seL4_CNode_Mutate(to.root, to.index, to.depth, from.root, from.index, from.depth, draw(2)));
        }
        break;
    }
    case 8: {
        struct where to = draw_where("to", draw_empty()), pivot = draw_where("pivot", draw_taken()),
                     from = draw_where("from", draw_taken());
        if (!waits(to.root)) {
            attempt("rotate", seL4_CNode_Rotate(to.root, to.index, to.depth, 0, pivot.root, pivot.index, pivot.depth, 0,
                                                from.root, from.index, from.depth));
        }
        break;
    }
    case 9: {
        struct where at = draw_where("at", draw_taken());
        if (!waits(at.root)) {
            attempt("delete", seL4_CNode_Delete(at.root, at.index, at.depth));
        }
        break;
    }
    case 10: {
        struct where at = draw_where("at", draw_taken());
        if (!waits(at.root)) {
            attempt("revoke", seL4_CNode_Revoke(at.root, at.index, at.depth));
        }
        break;
    }
    case 11: {
        struct where at = draw_where("at", draw_taken());
        if (!waits(at.root)) {
            attempt("cancel", seL4_CNode_CancelBadgedSends(at.root, at.index, at.depth));
        }
        break;
    }
    case 12: {
        static const seL4_Word priorities[] = { 10, 50, 90, 150, 160, 255, 256 };
        seL4_Word priority = priorities[draw(7)];
        say("priority %lu of %lu", priority, number);
        attempt("priority", seL4_TCB_SetPriority(it, seL4_CapInitThreadTCB, priority));
        break;
    }
    case 13:
        say("suspend %lu", number);
        attempt("suspend", seL4_TCB_Suspend(it));
        break;
    case 14:
        say("resume %lu", number);
        /* A fresh thread would run at address 0. */
        if (number >= FIRST_TCB && number < PAGE) {
            attempt("resume", seL4_TCB_Resume(it));
        }
        break;
    case 15: {
        seL4_Word other = draw(PLACES);
        say("bind %lu to %lu", number, other);
        attempt("bind", seL4_TCB_BindNotification(it, place(other)));
        break;
    }
    case 16:
        say("unbind %lu", number);
        attempt("unbind", seL4_TCB_UnbindNotification(it));
        break;
    case 17: {
        seL4_Word at = draw(4);
        seL4_CapRights_t rights = draw_rights();
        say("map page %lu at %lu", number, at);
        attempt("map", page_map(it, seL4_CapInitThreadVSpace, PAGES + 0x1000 * at, rights));
        break;
    }
    case 18:
        say("unmap page %lu", number);
        attempt("unmap", page_unmap(it));
        break;
    case 19:
        say("map table %lu", number);
        attempt("map", table_map(TABLE_LEVELS - 1, it, seL4_CapInitThreadVSpace, PAGES));
        break;
    case 20:
        say("unmap table %lu", number);
        attempt("unmap", table_unmap(TABLE_LEVELS - 1, it));
        break;
    case 21:
        say("assign an ASID to %lu", number);
        attempt("assign", asid_assign(seL4_CapInitThreadASIDPool, it));
        break;
    case 22:
        say("signal %lu", number);
        seL4_Signal(it);
        break;
    case 23: {
        seL4_Word other = draw(PLACES);
        say("fault handler of %lu is %lu", number, other);
        attempt("set space",
                seL4_TCB_SetSpace(it, place(other), seL4_CapInitThreadCNode, 0, seL4_CapInitThreadVSpace, 0));
        break;
    }
    case 24: receive(number); break;
    case 25:
    case 26:
        say("answer");
        reply(seL4_MessageInfo_new(LABEL + 2, 0, 0, 0));
        break;
    default: {
        unsigned worker = draw(WORKERS);
        struct order *order = &orders[worker];
        unsigned deed = draw(DEEDS);
        seL4_Word gift = draw(2 * PLACES), usual = draw(4);
        static const seL4_Word common[] = { ENDPOINT, NOTIFICATION, BADGED_ENDPOINT, BADGED_NOTIFICATION };
        seL4_Word through = usual ? common[draw(4)] : number;
        if (order->idle) {
            order->deed = deed;
            order->place = through;
            order->gift = gift;
            seL4_Signal(order->wake);
        } else if (gift & 1) {
            /* It waits for something: perhaps for one of these. */
            receive(number);
        } else {
            say("signal and send");
            seL4_NBSend(place(BADGED_NOTIFICATION), seL4_MessageInfo_new(LABEL, 0, 0, 0));
            seL4_NBSend(place(BADGED_ENDPOINT), seL4_MessageInfo_new(LABEL, 0, 0, 0));
        }
    }
    }
}

static void run(unsigned number, unsigned long steps)
{
    begin();
    for (unsigned i = 0; i < STEPS; i++) {
        if (steps >> i & 1) {
            say("step %u", i);
            state = (unsigned long)number * STEPS + i;
            draw(1);
            step();
        }
    }
    settle();
    for (int i = 0; i < PLACES; i++) {
        say("place %d: %u", i, seL4_DebugCapIdentify(place(i)));
    }
}

int main(void)
{
    unsigned done = 0, count = 0, digests[DIGESTS_PER_LINE];
    world_begin(sel4runtime_bootinfo());
    for (unsigned i = 0; i < sizeof(plan) / sizeof(plan[0]); i++) {
        for (unsigned j = 0; j < plan[i].count; j++) {
            unsigned number = plan[i].first + j;
            if (plan[i].show) {
                say("== sequence %u", number);
                run(number, plan[i].steps);
            } else {
                run(number, plan[i].steps);
                digests[count++] = say_digest();
                /* As one line, in which the kernel cannot say anything. */
                if (count == DIGESTS_PER_LINE || j == plan[i].count - 1) {
                    for (unsigned k = 0; k < count; k++) {
                        printf("%s%08x", k ? " " : "| ", digests[k]);
                    }
                    printf("\n");
                    fflush(stdout);
                    count = 0;
                }
            }
            world_renew();
            done++;
        }
    }
    say("end of the sequences: %u", done);
    say_flush();
    return 0;
}
