// SPDX-License-Identifier: BSD-2-Clause

//! C's integer types in Rust, and the words of messages and capabilities.

#[libsel4_test::tests]
pub mod tests {
    use core::ffi::{c_char, c_int, c_long, c_longlong, c_schar, c_short, c_uint};

    use libsel4::libsel4_sys as sys;
    use libsel4::{AllocationError, CapRights};
    use libsel4_test::Resources;
    use properties::random;

    unsafe extern "C" {
        static kernel_tests_sizes: [c_uint; SIZES.len()];
        static kernel_tests_sizes_count: c_uint;
        static kernel_tests_char_is_signed: c_int;
        safe fn kernel_tests_signed_sum(
            a: c_schar,
            b: c_short,
            c: c_int,
            d: c_long,
            e: c_longlong,
            f: isize,
        ) -> i64;
        safe fn kernel_tests_unsigned_sum(
            a: sys::seL4_Uint8,
            b: sys::seL4_Uint16,
            c: sys::seL4_Uint32,
            d: sys::seL4_Word,
            e: sys::seL4_Uint64,
            f: sys::seL4_CPtr,
        ) -> u64;
    }

    /// In the order of the C file.
    const SIZES: [usize; 21] = [
        size_of::<c_char>(),
        size_of::<c_short>(),
        size_of::<c_int>(),
        size_of::<c_long>(),
        size_of::<c_longlong>(),
        size_of::<*const ()>(),
        size_of::<usize>(),
        size_of::<sys::seL4_Word>(),
        size_of::<sys::seL4_CPtr>(),
        size_of::<sys::seL4_Bool>(),
        size_of::<sys::seL4_Uint8>(),
        size_of::<sys::seL4_Uint16>(),
        size_of::<sys::seL4_Uint32>(),
        size_of::<sys::seL4_Uint64>(),
        size_of::<sys::seL4_Int64>(),
        size_of::<sys::seL4_Error>(),
        size_of::<sys::seL4_MessageInfo_t>(),
        size_of::<sys::seL4_CapRights_t>(),
        size_of::<sys::seL4_UserContext>(),
        size_of::<sys::seL4_BootInfo>(),
        size_of::<sys::seL4_IPCBuffer>(),
    ];

    #[test]
    fn l4_types_have_the_sizes_of_c() {
        // SAFETY: constants of C, of these types.
        let (sizes, count) = unsafe { (kernel_tests_sizes, kernel_tests_sizes_count) };
        assert_eq!(count as usize, SIZES.len());
        assert_eq!(sizes.map(|size| size as usize), SIZES);
        // SAFETY: as above.
        let is_signed = unsafe { kernel_tests_char_is_signed } != 0;
        assert_eq!(c_char::MIN != 0, is_signed);
        assert_eq!(sys::seL4_Word::BITS, usize::BITS);
    }

    #[test]
    fn l4_numbers_reach_c_as_they_are() {
        let mut random = random();
        for _ in 0..10_000 {
            let (a, b, c) = (random.i8(..), random.i16(..), random.i32(..));
            let (d, e, f) = (random.isize(..), random.i64(..), random.isize(..));
            let factors = [
                (1, a.into()),
                (3, b.into()),
                (5, c.into()),
                (7, d as i64),
                (11, e),
                (13, f as i64),
            ];
            let sum = factors.iter().fold(0_i64, |sum, (factor, value)| {
                sum.wrapping_add(value.wrapping_mul(*factor))
            });
            assert_eq!(kernel_tests_signed_sum(a, b, c, d as c_long, e, f), sum);
            let (a, b, c) = (random.u8(..), random.u16(..), random.u32(..));
            let (d, e, f) = (random.usize(..), random.u64(..), random.usize(..));
            let factors = [
                (1, a.into()),
                (3, b.into()),
                (5, c.into()),
                (7, d as u64),
                (11, e),
                (13, f as u64),
            ];
            let sum = factors.iter().fold(0_u64, |sum, (factor, value)| {
                sum.wrapping_add(value.wrapping_mul(*factor))
            });
            assert_eq!(kernel_tests_unsigned_sum(a, b, c, d, e, f), sum);
        }
    }

    #[test]
    fn l3_message_infos_are_as_in_c() {
        properties::message_infos(&mut random());
    }

    #[test]
    fn l3_rights_are_as_in_c() {
        properties::rights(&mut random());
    }

    #[test]
    fn l3_guards_are_as_in_c() {
        properties::guards(&mut random());
    }

    #[test]
    fn l3_registers_are_as_in_c() {
        properties::registers(&mut random());
    }

    #[test]
    fn l3_values_are_as_in_memory() {
        properties::values(&mut random());
    }

    #[test]
    fn l3_faults_are_as_in_c() {
        properties::faults(&mut random());
    }

    #[test]
    fn l3_boot_info_is_read_as_written() {
        properties::boot_info(&mut random());
        properties::extra_boot_info(&mut random());
    }

    #[test]
    fn l3_badges_and_messages_arrive_as_they_were_sent(
        t: &mut Resources,
    ) -> Result<(), AllocationError> {
        use libsel4::message;

        let mut random = random();
        let service = t.service()?;
        t.spawn(move || {
            let (mut info, mut badge) = service.recv();
            loop {
                // Everything back, with the badge in the place of the first word.
                let mut words = [0; message::REGISTERS];
                let length = message::read(info, &mut words);
                words[0] = badge;
                (info, badge) = service.reply_recv(message::write(info.label(), &words[..length]));
            }
        })?;
        // On 32-bit machines the kernel keeps fewer bits.
        let kept = usize::MAX >> (usize::BITS as usize - sys::seL4_BadgeBits);
        let root = t.info.cnode();
        for round in 0..200 {
            let badge = random.usize(..) >> random.u32(..usize::BITS) & kept;
            let client = t
                .objects
                .mint(service.endpoint, CapRights::ALL, badge.max(1))?;
            let mut words = [0; message::REGISTERS];
            words.fill_with(|| random.usize(..));
            let length = random.usize(1..=words.len());
            let label = random.usize(..1 << 20);
            let answer = client.call(message::write(label, &words[..length]));
            let mut read = [0; message::REGISTERS];
            assert_eq!(message::read(answer, &mut read), length);
            assert_eq!(
                (answer.label(), read[0]),
                (label, badge.max(1)),
                "round {round}"
            );
            assert_eq!(read[1..length], words[1..length]);
            // SAFETY: it is not used again.
            unsafe { root.slot_of(client).cnode_delete()? };
        }
        Ok(())
    }
}
