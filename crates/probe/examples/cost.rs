//! What watching adds to a system call: rounds without a hook, with an empty one and with the probe take turns.
//!
//! `cargo run --release -p eyas-probe --example cost [ROUNDS]`

use std::time::{Duration, Instant};

use eyas_probe::{Hook, Plan, Sensor};

const CALLS: u32 = 200_000;
const FILES: u32 = 60_000;

/// Nanoseconds of one call, in a process of its own; `watch` runs until it has ended.
fn timed(act: fn() -> f64, mut watch: impl FnMut()) -> f64 {
    let mut pair = [0i32; 2];
    // SAFETY: a pipe, and a child that computes one number, writes it and leaves.
    unsafe {
        libc::pipe2(pair.as_mut_ptr(), libc::O_NONBLOCK);
        if libc::fork() == 0 {
            let ns = act().to_le_bytes();
            libc::write(pair[1], ns.as_ptr().cast(), 8);
            libc::_exit(0);
        }
        let mut ns = [0u8; 8];
        while libc::read(pair[0], ns.as_mut_ptr().cast(), 8) != 8 {
            watch();
        }
        libc::close(pair[0]);
        libc::close(pair[1]);
        libc::wait(std::ptr::null_mut());
        f64::from_le_bytes(ns)
    }
}

fn each(count: u32, call: impl Fn()) -> f64 {
    let start = Instant::now();
    (0..count).for_each(|_| call());
    start.elapsed().as_nanos() as f64 / f64::from(count)
}

fn null() -> f64 {
    // SAFETY: getppid cannot fail.
    each(CALLS, || unsafe {
        libc::syscall(libc::SYS_getppid);
    })
}

fn open_close() -> f64 {
    // SAFETY: a constant path.
    each(FILES, || unsafe {
        libc::close(libc::open(c"/etc/hostname".as_ptr(), libc::O_RDONLY));
    })
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Times of one setting, of both loops.
#[derive(Default)]
struct Times {
    null: Vec<f64>,
    files: Vec<f64>,
}

impl Times {
    fn round(&mut self, mut watch: impl FnMut()) {
        self.null.push(timed(null, &mut watch));
        self.files.push(timed(open_close, &mut watch));
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rounds: u32 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(9);
    let (mut bare, mut empty, mut full) = (Times::default(), Times::default(), Times::default());
    let nap = || std::thread::sleep(Duration::from_micros(300));
    let (mut seen, mut lost) = (0u64, 0u64);
    for _ in 0..rounds {
        bare.round(nap);
        let hook = Hook::empty()?;
        empty.round(nap);
        drop(hook);
        let mut sensor = Sensor::open()?;
        sensor.follow(&Plan::of(&[]))?;
        let mut failure = None;
        full.round(|| {
            failure = sensor.poll(Duration::from_millis(1), &mut |_| seen += 1).err();
        });
        lost += sensor.counters().lost.values().sum::<u64>();
        failure.map_or(Ok(()), Err)?;
    }
    let rows = [
        ("null call", bare.null, empty.null, full.null),
        ("open and close", bare.files, empty.files, full.files),
    ];
    println!("{:15} {:>8} {:>12} {:>12} {:>8}", "ns, median", "bare", "empty hook", "watched", "added");
    for (name, bare, empty, full) in rows {
        let (bare, empty, full) = (median(bare), median(empty), median(full));
        println!("{name:15} {bare:8.0} {empty:12.0} {full:12.0} {:7.1}%", (full / bare - 1.0) * 100.0);
    }
    println!("{seen} events, {lost} lost");
    Ok(())
}
