//! What watching adds to a system call: rounds without a hook, with an empty one and with the probe take turns.
//!
//! `cargo run --release -p eyas-probe --example cost [ROUNDS [HOOKS]]`; hooks are `fentry`, `tp_btf` or `raw_tp`.

use std::time::Duration;

use eyas_probe::{Hook, Plan, Rung, Sensor, Sieve};

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

/// Processor time of each call: what others do on this machine does not count.
fn each(count: u32, call: impl Fn()) -> f64 {
    let start = processor_time();
    (0..count).for_each(|_| call());
    (processor_time() - start) / f64::from(count)
}

fn processor_time() -> f64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: fills the structure.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
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

fn median(times: &[f64]) -> f64 {
    let mut times = times.to_vec();
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
    let (mut bare, mut empty, mut all, mut sieved) = <(Times, Times, Times, Times)>::default();
    let nap = || std::thread::sleep(Duration::from_micros(300));
    let mut figures = Figures::default();
    for _ in 0..rounds {
        Times::round(&mut bare, nap);
        let hook = Hook::empty()?;
        Times::round(&mut empty, nap);
        drop(hook);
        watched(&Plan { paths: false, ..Plan::of(&[]) }, &mut all, &mut figures)?;
        watched(&Plan { sieve: Some(sieve()), ..Plan::of(&[]) }, &mut sieved, &mut figures)?;
    }
    println!(
        "{:16}{:>10}{:>10}{:>10}{:>8}{:>10}{:>8}",
        "ns, median", "bare", "hook", "all", "", "sieved", ""
    );
    row("null call", [&bare, &empty, &all, &sieved].map(|t| median(&t.null)));
    row("open and close", [&bare, &empty, &all, &sieved].map(|t| median(&t.files)));
    println!("{} events, {} lost", figures.seen, figures.lost);
    Ok(())
}

fn row(name: &str, [bare, hook, all, sieved]: [f64; 4]) {
    let added = |ns: f64| format!("+{:.0}%", (ns / bare - 1.0) * 100.0);
    println!("{name:16}{bare:10.0}{hook:10.0}{all:10.0}{:>8}{sieved:10.0}{:>8}", added(all), added(sieved));
}

#[derive(Default)]
struct Figures {
    seen: u64,
    lost: u64,
}

/// A round under the eyes of a sensor.
fn watched(plan: &Plan, times: &mut Times, figures: &mut Figures) -> Result<(), Box<dyn std::error::Error>> {
    let hooks = std::env::args().nth(2).and_then(|name| Rung::named(&name));
    let mut sensor = hooks.map_or_else(Sensor::open, Sensor::open_on)?;
    sensor.follow(plan)?;
    let mut failure = None;
    times.round(|| {
        failure = sensor.poll(Duration::from_millis(1), &mut |_| figures.seen += 1).err();
    });
    figures.lost += sensor.counters().lost().values().sum::<u64>();
    failure.map_or(Ok(()), Err)?;
    Ok(())
}

/// A sieve as usual rules make it.
fn sieve() -> Sieve {
    let prefixes = [
        "/etc/shadow",
        "/etc/sudoers",
        "/etc/pam.d/",
        "/etc/security/",
        "/root/.ssh",
        "/home/",
        "/proc/",
        "/dev/sd",
        "/dev/nvme",
        "/dev/vd",
        "/dev/xvd",
        "/dev/mem",
        "/dev/kmem",
        "/host/",
        "/rootfs/",
        "/hostfs/",
    ];
    Sieve {
        prefixes: prefixes.map(str::to_owned).to_vec(),
        suffixes: vec![".key".into(), ".pem".into(), "/environ".into()],
        found: Vec::new(),
        names: vec!["sshd".into(), "tar".into()],
        failures: false,
    }
}
