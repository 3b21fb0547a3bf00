// SPDX-License-Identifier: BSD-2-Clause

//! Messages, signals, badges, and capabilities that come with messages.

#[libsel4_test::tests]
pub mod tests {
    use libsel4::{
        AllocationError, Cap, CapRights, Endpoint, Error, Event, MessageInfo, Notification, message,
    };
    use libsel4_test::{Resources, Service};

    type Done = Result<(), AllocationError>;

    const EMPTY: MessageInfo = MessageInfo::new(0, 0, 0, 0);

    /// A thread that answers each call with the sum of its registers, and the badge.
    fn adder(t: &mut Resources) -> Result<Service, AllocationError> {
        let service = t.service()?;
        t.spawn(move || {
            let (mut info, mut badge) = service.recv();
            loop {
                let mut words = [0; message::REGISTERS];
                let length = message::read(info, &mut words);
                let sum = words[..length]
                    .iter()
                    .fold(0, |sum: usize, word| sum.wrapping_add(*word));
                (info, badge) = service.reply_recv(message::write(info.label(), &[sum, badge]));
            }
        })?;
        Ok(service)
    }

    #[test]
    fn a_call_is_answered_for_every_length(t: &mut Resources) -> Done {
        let service = adder(t)?;
        let client = t.objects.mint(service.endpoint, CapRights::ALL, 77)?;
        let words: [usize; message::REGISTERS] = core::array::from_fn(|index| index * index + 1);
        for length in 0..=message::REGISTERS {
            let answer = client.call(message::write(length, &words[..length]));
            let sum: usize = words[..length].iter().sum();
            assert_eq!((answer.label(), answer.length()), (length, 2));
            assert_eq!(message::take(answer), Some([sum, 77]), "{length} words");
        }
        Ok(())
    }

    #[test]
    fn badges_tell_who_sends(t: &mut Resources) -> Done {
        let service = t.service()?;
        for badge in [3, 5, 9] {
            let mine = t.objects.mint(service.endpoint, CapRights::ALL, badge)?;
            t.spawn(move || mine.send(message::write(badge + 1, &[badge * 2])))?;
        }
        let mut sum = 0;
        for _ in 0..3 {
            let (info, badge) = service.recv();
            assert_eq!(
                (info.label(), message::get_mr::<0>()),
                (badge + 1, badge * 2)
            );
            sum += badge;
        }
        assert_eq!(sum, 3 + 5 + 9);
        Ok(())
    }

    #[test]
    fn what_nobody_waits_for_is_lost_without_waiting(t: &mut Resources) -> Done {
        let service = t.service()?;
        service.endpoint.nb_send(EMPTY);
        assert_eq!(service.nb_recv(), None);
        // Somebody waits, with a badge to tell it.
        let bell: Cap<Notification> = t.objects.make()?;
        t.spawn(move || {
            let (info, badge) = service.recv();
            assert_eq!((info.label(), badge), (4, 8));
            bell.signal();
        })?;
        t.settle()?;
        let mine = t.objects.mint(service.endpoint, CapRights::ALL, 8)?;
        mine.nb_send(MessageInfo::new(4, 0, 0, 0));
        bell.wait();
        Ok(())
    }

    #[test]
    fn a_capability_comes_with_a_message(t: &mut Resources) -> Done {
        let service = t.service()?;
        let bell: Cap<Notification> = t.objects.make()?;
        let rung = t.objects.mint(bell, CapRights::ALL, 0x40)?;
        t.spawn(move || {
            message::set_cap::<0, _>(rung);
            service.endpoint.send(EMPTY.with_extra_caps(1));
        })?;
        let slot = message::set_cap_receive_path(t.objects.slot()?);
        let (info, _) = service.recv();
        assert_eq!((info.extra_caps(), info.caps_unwrapped()), (1, 0));
        // SAFETY: the thread has sent a notification.
        let received: Cap<Notification> = unsafe { slot.cap() };
        received.signal();
        assert_eq!(bell.poll(), Some(0x40));
        Ok(())
    }

    #[test]
    fn a_capability_to_the_same_endpoint_is_unwrapped(t: &mut Resources) -> Done {
        let service = t.service()?;
        let named = t.objects.mint(service.endpoint, CapRights::ALL, 21)?;
        t.spawn(move || {
            message::set_cap::<0, _>(named);
            service.endpoint.send(EMPTY.with_extra_caps(1));
        })?;
        let (info, _) = service.recv();
        assert_eq!((info.extra_caps(), info.caps_unwrapped()), (1, 1));
        assert_eq!(message::get_badge::<0>(), 21);
        Ok(())
    }

    #[test]
    fn without_the_right_to_grant_none_comes(t: &mut Resources) -> Done {
        let service = t.service()?;
        let bell: Cap<Notification> = t.objects.make()?;
        let weak = t.objects.copy(service.endpoint, CapRights::READ_WRITE)?;
        t.spawn(move || {
            message::set_cap::<0, _>(bell);
            weak.send(EMPTY.with_extra_caps(1));
        })?;
        message::set_cap_receive_path(t.objects.slot()?);
        assert_eq!(service.recv().0.extra_caps(), 0);
        Ok(())
    }

    #[test]
    fn signals_add_up_their_badges(t: &mut Resources) -> Done {
        let bell: Cap<Notification> = t.objects.make()?;
        assert_eq!(bell.poll(), None);
        for badge in [1, 4, 4, 0x10] {
            t.objects.mint(bell, CapRights::WRITE, badge)?.signal();
        }
        assert_eq!(bell.poll(), Some(0x15));
        assert_eq!(bell.poll(), None);
        t.objects.mint(bell, CapRights::ALL, 2)?.signal();
        assert_eq!(bell.wait(), 2);
        Ok(())
    }

    #[test]
    fn a_bound_notification_ends_the_waiting_for_messages(t: &mut Resources) -> Done {
        let service = t.service()?;
        let bell: Cap<Notification> = t.objects.make()?;
        let other: Cap<Notification> = t.objects.make()?;
        let rung = t.objects.mint(bell, CapRights::ALL, 6)?;
        t.tcb.tcb_bind_notification(bell)?;
        assert_eq!(
            t.tcb.tcb_bind_notification(other),
            Err(Error::IllegalOperation)
        );
        // A message with words that would be taken for the signal's.
        let named = t.objects.mint(service.endpoint, CapRights::ALL, 1)?;
        t.spawn(move || {
            named.send(message::write(7, &[1, 2, 3]));
            rung.signal();
        })?;
        let event = service.endpoint.recv(service.reply).event(6);
        assert_eq!(event, Event::Message(MessageInfo::new(7, 0, 0, 3), 1));
        let event = service.endpoint.recv(service.reply).event(6);
        assert_eq!(event, Event::Signal(6));
        t.tcb.tcb_unbind_notification()?;
        assert_eq!(
            t.tcb.tcb_unbind_notification(),
            Err(Error::IllegalOperation)
        );
        rung.signal();
        assert_eq!(service.nb_recv(), None);
        assert_eq!(bell.poll(), Some(6));
        Ok(())
    }

    #[test]
    fn the_answer_to_nobody_is_lost(t: &mut Resources) -> Done {
        t.service()?.reply(EMPTY);
        Ok(())
    }

    #[test]
    fn values_go_through_messages_as_they_are(t: &mut Resources) -> Done {
        let service = t.service()?;
        t.spawn(move || {
            let (info, _) = service.recv();
            let came: Option<[u16; 7]> = message::take(info);
            service.reply(message::put(9, &came.unwrap_or_default()));
        })?;
        let sent = [1_u16, 0xffff, 3, 0x8000, 5, 6, 0x1234];
        let answer = service.endpoint.call(message::put(0, &sent));
        assert_eq!(message::take::<[u16; 7]>(answer), Some(sent));
        assert_eq!(message::take::<[u32; 100]>(answer), None);
        Ok(())
    }

    #[test]
    fn the_word_for_the_program_stays(t: &mut Resources) -> Done {
        message::set_user_data(0x5a5a);
        let service = adder(t)?;
        service.endpoint.call(message::write(0, &[1, 2, 3]));
        assert_eq!(message::get_user_data(), 0x5a5a);
        Ok(())
    }

    #[test]
    fn cancelling_badged_sends_takes_all_rights(t: &mut Resources) -> Done {
        let root = t.info.cnode();
        let endpoint: Cap<Endpoint> = t.objects.make()?;
        let named = t.objects.mint(endpoint, CapRights::ALL, 3)?;
        let weak = t.objects.mint(endpoint, CapRights::WRITE, 3)?;
        root.slot_of(named).cnode_cancel_badged_sends()?;
        let refused = root.slot_of(weak).cnode_cancel_badged_sends();
        assert_eq!(refused, Err(Error::IllegalOperation));
        Ok(())
    }

    #[cfg(not(CONFIG_KERNEL_MCS))]
    #[test]
    fn a_saved_caller_is_answered_later(t: &mut Resources) -> Done {
        let service = t.service()?;
        let bell: Cap<Notification> = t.objects.make()?;
        for badge in [1, 2] {
            let mine = t.objects.mint(service.endpoint, CapRights::ALL, badge)?;
            let rung = t.objects.mint(bell, CapRights::ALL, badge)?;
            t.spawn(move || {
                let answer = mine.call(EMPTY);
                assert_eq!(answer.label(), badge);
                rung.signal();
            })?;
        }
        let mut saved = [None, None];
        for place in &mut saved {
            let (_, badge) = service.recv();
            *place = Some((badge, t.objects.slot()?.cnode_save_caller()?));
        }
        for (badge, caller) in saved.into_iter().flatten().rev() {
            let slot = caller.send(MessageInfo::labelled(badge));
            assert_eq!(bell.wait(), badge);
            // The kernel has emptied the slot.
            slot.cnode_copy(bell, CapRights::ALL)?;
        }
        Ok(())
    }

    #[cfg(CONFIG_KERNEL_MCS)]
    #[test]
    fn each_reply_object_keeps_its_caller(t: &mut Resources) -> Done {
        let service = t.service()?;
        let bell: Cap<Notification> = t.objects.make()?;
        for badge in [1, 2] {
            let mine = t.objects.mint(service.endpoint, CapRights::ALL, badge)?;
            let rung = t.objects.mint(bell, CapRights::ALL, badge)?;
            t.spawn(move || {
                let answer = mine.call(EMPTY);
                assert_eq!(answer.label(), badge);
                rung.signal();
            })?;
        }
        let mut callers = [None; 2];
        for place in &mut callers {
            let reply: Cap<libsel4::Reply> = t.objects.make()?;
            *place = Some((service.endpoint.recv(reply).message().1, reply));
        }
        for (badge, reply) in callers.into_iter().flatten().rev() {
            reply.send(MessageInfo::new(badge, 0, 0, 0));
            assert_eq!(bell.wait(), badge);
        }
        Ok(())
    }

    #[cfg(CONFIG_KERNEL_MCS)]
    #[test]
    fn one_call_sends_and_waits(t: &mut Resources) -> Done {
        let (there, back) = (t.service()?, t.service()?);
        let mine = t.objects.mint(back.endpoint, CapRights::ALL, 5)?;
        t.spawn(move || {
            for _ in 0..2 {
                let (info, _) = there.endpoint.wait().message();
                mine.send(MessageInfo::new(info.label() + 1, 0, 0, 0));
            }
        })?;
        // The thread waits for it from here on.
        t.settle()?;
        let info = MessageInfo::new(10, 0, 0, 0);
        let received = back.endpoint.nb_send_recv(there.endpoint, info, back.reply);
        let (info, badge) = received.message();
        assert_eq!((info.label(), badge), (11, 5));
        t.settle()?;
        let info = MessageInfo::new(20, 0, 0, 0);
        let received = back.endpoint.nb_send_wait(there.endpoint, info);
        let (info, badge) = received.message();
        assert_eq!((info.label(), badge), (21, 5));
        assert_eq!(back.endpoint.nb_wait(), None);
        Ok(())
    }
}
