;; Subrecords of data exchange buffers (RFC 5024 section 7) with 128-bit moves. `plain.ts` is the same in TypeScript and
;; says what must come out; a test compares the two octet by octet.
;;
;; Positions are addresses in the imported memory. The first four words of it are where results stand:
;;   0 = source position   4 = target position   8 = records   12 = not 0 when a compressed subrecord came
;; Loads may reach up to 66 octets past a source: the memory has that much behind its last buffer. Nothing is ever
;; stored past a target's limit.
(module
  (import "gateway" "memory" (memory 1))

  ;; Writes `count` full literal subrecords: 3F and 63 octets each.
  (func (export "literals") (param $from i32) (param $at i32) (param $count i32)
    (block $done
      (br_if $done (i32.eqz (local.get $count)))
      (loop $next
        (i32.store8 (local.get $at) (i32.const 0x3F))
        ;; 16 + 16 + 16 + 16 octets, the last ones overlapping by one: 63
        (v128.store offset=1 align=1 (local.get $at) (v128.load align=1 (local.get $from)))
        (v128.store offset=17 align=1 (local.get $at) (v128.load offset=16 align=1 (local.get $from)))
        (v128.store offset=33 align=1 (local.get $at) (v128.load offset=32 align=1 (local.get $from)))
        (v128.store offset=48 align=1 (local.get $at) (v128.load offset=47 align=1 (local.get $from)))
        (local.set $from (i32.add (local.get $from) (i32.const 63)))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br_if $next (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))))

  ;; One bit for each of the 16 octets from `at` on: it and the next three are equal.
  (func $runs (param $at i32) (result i32)
    (local $octets v128)
    (local.set $octets (v128.load align=1 (local.get $at)))
    (i8x16.bitmask
      (v128.and
        (i8x16.eq (local.get $octets) (v128.load offset=1 align=1 (local.get $at)))
        (v128.and
          (i8x16.eq (local.get $octets) (v128.load offset=2 align=1 (local.get $at)))
          (i8x16.eq (local.get $octets) (v128.load offset=3 align=1 (local.get $at)))))))

  ;; One bit for each of the 64 octets from `at` on that differs from `octet`.
  (func $differing (param $at i32) (param $octet v128) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u
          (i8x16.bitmask (i8x16.ne (v128.load align=1 (local.get $at)) (local.get $octet))))
        (i64.shl
          (i64.extend_i32_u
            (i8x16.bitmask (i8x16.ne (v128.load offset=16 align=1 (local.get $at)) (local.get $octet))))
          (i64.const 16)))
      (i64.or
        (i64.shl
          (i64.extend_i32_u
            (i8x16.bitmask (i8x16.ne (v128.load offset=32 align=1 (local.get $at)) (local.get $octet))))
          (i64.const 32))
        (i64.shl
          (i64.extend_i32_u
            (i8x16.bitmask (i8x16.ne (v128.load offset=48 align=1 (local.get $at)) (local.get $octet))))
          (i64.const 48)))))

  ;; Packs octets `from` to `to`, of which there is at least one, with runs of four and more as compressed subrecords.
  ;; Gives 1 when the last subrecord got the end-of-record bit, which it does with `last`.
  (func (export "compressed")
    (param $from i32) (param $to i32) (param $at i32) (param $limit i32) (param $last i32) (result i32)
    (local $header i32) (local $end i32) (local $most i32) (local $mask i32) (local $ended i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $to)))
        (br_if $done (i32.lt_s (i32.sub (local.get $limit) (local.get $at)) (i32.const 2)))
        (local.set $header (local.get $at))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $mask (call $runs (local.get $from)))
        (if (i32.and
              (i32.and (local.get $mask) (i32.const 1))
              (i32.le_u (i32.add (local.get $from) (i32.const 4)) (local.get $to)))
          (then
            ;; a run: how long, at most 63 and not past the source
            (local.set $end
              (i32.wrap_i64
                (i64.ctz
                  (i64.or
                    (call $differing (local.get $from) (v128.load8_splat (local.get $from)))
                    (i64.const 0x8000000000000000)))))
            (local.set $most (i32.sub (local.get $to) (local.get $from)))
            (local.set $end
              (select (local.get $end) (local.get $most) (i32.lt_u (local.get $end) (local.get $most))))
            (i32.store8 (local.get $header) (i32.or (i32.const 0x40) (local.get $end)))
            (i32.store8 (local.get $at) (i32.load8_u (local.get $from)))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (local.set $from (i32.add (local.get $from) (local.get $end))))
          (else
            ;; literals up to the next run, 63 octets, the end of the source or of the room
            (local.set $most (i32.add (local.get $from) (i32.const 63)))
            (local.set $most
              (select (local.get $to) (local.get $most) (i32.lt_u (local.get $to) (local.get $most))))
            (local.set $end (i32.add (local.get $from) (i32.sub (local.get $limit) (local.get $at))))
            (local.set $most
              (select (local.get $end) (local.get $most) (i32.lt_u (local.get $end) (local.get $most))))
            (local.set $end (local.get $from))
            (block $found
              (loop $search
                (br_if $found (local.get $mask))
                (local.set $end (i32.add (local.get $end) (i32.const 16)))
                (br_if $found (i32.ge_u (local.get $end) (local.get $most)))
                (local.set $mask (call $runs (local.get $end)))
                (br $search)))
            (if (local.get $mask)
              (then (local.set $end (i32.add (local.get $end) (i32.ctz (local.get $mask))))))
            ;; a run that is cut by the end of the source is none
            (if (i32.gt_u (i32.add (local.get $end) (i32.const 4)) (local.get $to))
              (then (local.set $end (local.get $most))))
            (if (i32.gt_u (local.get $end) (local.get $most))
              (then (local.set $end (local.get $most))))
            (local.set $mask (i32.sub (local.get $end) (local.get $from)))
            (i32.store8 (local.get $header) (local.get $mask))
            (if (i32.ge_s (i32.sub (local.get $limit) (local.get $at)) (i32.const 63))
              (then
                (v128.store align=1 (local.get $at) (v128.load align=1 (local.get $from)))
                (v128.store offset=16 align=1 (local.get $at) (v128.load offset=16 align=1 (local.get $from)))
                (v128.store offset=32 align=1 (local.get $at) (v128.load offset=32 align=1 (local.get $from)))
                (v128.store offset=47 align=1 (local.get $at) (v128.load offset=47 align=1 (local.get $from))))
              (else (memory.copy (local.get $at) (local.get $from) (local.get $mask))))
            (local.set $at (i32.add (local.get $at) (local.get $mask)))
            (local.set $from (local.get $end))))
        (br_if $next (i32.or (i32.lt_u (local.get $from) (local.get $to)) (i32.eqz (local.get $last))))
        (i32.store8 (local.get $header) (i32.or (i32.load8_u (local.get $header)) (i32.const 0x80)))
        (local.set $ended (i32.const 1))))
    (i32.store (i32.const 0) (local.get $from))
    (i32.store (i32.const 4) (local.get $at))
    (local.get $ended))

  ;; Unpacks subrecords from `from` to `end` while `at` is not beyond `room`: 63 octets behind `room` are free.
  ;; Gives 0, or 1 for a compressed subrecord without its octet, 2 for a subrecord that runs past the end.
  (func (export "unpack") (param $from i32) (param $end i32) (param $at i32) (param $room i32) (result i32)
    (local $header i32) (local $count i32) (local $records i32) (local $compressed i32) (local $octet v128)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $from) (local.get $end)))
        (br_if $done (i32.gt_s (local.get $at) (local.get $room)))
        (local.set $header (i32.load8_u (local.get $from)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (local.set $count (i32.and (local.get $header) (i32.const 0x3F)))
        (local.set $records (i32.add (local.get $records) (i32.shr_u (local.get $header) (i32.const 7))))
        (if (i32.and (local.get $header) (i32.const 0x40))
          (then
            (if (i32.ge_u (local.get $from) (local.get $end)) (then (return (i32.const 1))))
            (local.set $compressed (i32.const 1))
            (local.set $octet (v128.load8_splat (local.get $from)))
            (v128.store align=1 (local.get $at) (local.get $octet))
            (v128.store offset=16 align=1 (local.get $at) (local.get $octet))
            (v128.store offset=32 align=1 (local.get $at) (local.get $octet))
            (v128.store offset=47 align=1 (local.get $at) (local.get $octet))
            (local.set $from (i32.add (local.get $from) (i32.const 1))))
          (else
            (if (i32.gt_u (i32.add (local.get $from) (local.get $count)) (local.get $end))
              (then (return (i32.const 2))))
            ;; always 63 octets: what is too much is overwritten by what comes next
            (v128.store align=1 (local.get $at) (v128.load align=1 (local.get $from)))
            (v128.store offset=16 align=1 (local.get $at) (v128.load offset=16 align=1 (local.get $from)))
            (v128.store offset=32 align=1 (local.get $at) (v128.load offset=32 align=1 (local.get $from)))
            (v128.store offset=47 align=1 (local.get $at) (v128.load offset=47 align=1 (local.get $from)))
            (local.set $from (i32.add (local.get $from) (local.get $count)))))
        (local.set $at (i32.add (local.get $at) (local.get $count)))
        (br $next)))
    (i32.store (i32.const 0) (local.get $from))
    (i32.store (i32.const 4) (local.get $at))
    (i32.store (i32.const 8) (local.get $records))
    (i32.store (i32.const 12) (local.get $compressed))
    (i32.const 0)))
