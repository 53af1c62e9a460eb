//! A flood: what it may take from others.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use eyas_probe::Plan;

use crate::files::sys;
use crate::stage::{Stage, c};

pub(crate) const CASES: &[crate::Case] = &[
    ("a flood loses its own events, and every loss is counted", flood),
    ("births and deaths survive a flood", lives),
    ("every exec is seen while others open files as fast as they can", execs),
];

/// What makes this program a flooder.
pub(crate) const FLOOD_ARGUMENT: &str = "--flood";
/// More events than the ring holds.
const FLOOD: i32 = 160_000;

/// A cgroup for the one who floods, where this machine lets us make one.
fn cgroup() -> Option<PathBuf> {
    let own = std::process::id();
    ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"].iter().find_map(|root| {
        let dir = PathBuf::from(root).join(format!("eyas-{own}"));
        fs::create_dir(&dir).ok()?;
        dir.join("cgroup.procs").exists().then_some(dir)
    })
}

fn flood_from(file: Option<&std::ffi::CStr>) {
    if let Some(file) = file {
        let fd = sys!(SYS_openat(libc::AT_FDCWD, file.as_ptr(), libc::O_WRONLY, 0)) as i32;
        sys!(SYS_write(fd, b"0".as_ptr(), 1));
    }
    for _ in 0..FLOOD {
        sys!(SYS_kill(0x7fff_fff0, 0));
    }
}

fn flood(stage: &mut Stage) {
    let Some(dir) = cgroup() else {
        eprintln!("skipped: no cgroup can be made here");
        return;
    };
    let file = c(dir.join("cgroup.procs"));
    let before = stage.lost();
    // Nothing is read while both run: first the flood, then, in another cgroup, the quiet one.
    let seen = stage.run_unread(&["kill", "tkill"], |notes| {
        let pid = sys!(SYS_clone(libc::SIGCHLD, 0, 0, 0, 0));
        if pid == 0 {
            flood_from(Some(&file));
            sys!(SYS_exit_group(0));
        }
        notes.put(0, pid);
        sys!(SYS_wait4(pid, 0, 0, 0));
        sys!(SYS_tkill(0x7fff_fff1, 0));
    });
    let _ = fs::remove_dir(&dir);
    let arrived = seen.all("kill").len() as u64;
    assert_eq!(seen.all("tkill").len(), 1, "the quiet one is heard");
    assert!(arrived < FLOOD as u64, "the ring was full");
    assert_eq!(arrived + (stage.lost() - before), FLOOD as u64, "every event is counted");
}

fn lives(stage: &mut Stage) {
    let seen = stage.run_unread(&["kill"], |_| {
        for _ in 0..20 {
            let pid = sys!(SYS_clone(libc::SIGCHLD, 0, 0, 0, 0));
            if pid == 0 {
                for _ in 0..FLOOD / 20 {
                    sys!(SYS_kill(0x7fff_fff0, 0));
                }
                sys!(SYS_exit_group(0));
            }
        }
        for _ in 0..20 {
            sys!(SYS_wait4(-1, 0, 0, 0));
        }
    });
    assert_eq!(seen.all("procexit").len(), 21);
}

/// Programs that are run, if there is time.
const EXECS: i64 = 10_000;
const LONGEST: Duration = Duration::from_secs(3);
/// So many at a time.
const TOGETHER: i64 = 20;

/// Opens a file again and again.
pub(crate) fn open_for_ever() -> ! {
    loop {
        let fd = sys!(SYS_openat(libc::AT_FDCWD, c"/proc/version".as_ptr(), libc::O_RDONLY, 0)) as i32;
        sys!(SYS_close(fd));
    }
}

/// Ends with the test, however that ends.
struct Flooder(Child);

impl Drop for Flooder {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn execs(stage: &mut Stage) {
    let own = std::env::current_exe().expect("a program");
    let flooder = Flooder(Command::new(&own).arg(FLOOD_ARGUMENT).spawn().expect("a flooder"));
    let before = stage.lost_of("life");
    let path = ["/bin/true", "/bin/busybox"].into_iter().find(|path| Path::new(path).exists()).map(c);
    let path = path.expect("a small program");
    let arguments = [path.as_ptr(), c"true".as_ptr(), std::ptr::null()];
    let seen = stage.run_under(&Plan::of(&[]), |notes| {
        let end = Instant::now() + LONGEST;
        while notes.get(0) < EXECS && Instant::now() < end {
            for _ in 0..TOGETHER {
                if sys!(SYS_clone(libc::SIGCHLD, 0, 0, 0, 0)) == 0 {
                    sys!(SYS_execve(path.as_ptr(), arguments.as_ptr(), [std::ptr::null::<u8>()].as_ptr()));
                    sys!(SYS_exit_group(1));
                }
            }
            for _ in 0..TOGETHER {
                sys!(SYS_wait4(-1, 0, 0, 0));
            }
            notes.put(0, notes.get(0) + TOGETHER);
        }
    });
    drop(flooder);
    let ran = seen.all("execve").iter().filter(|event| event.signed(0) == Some(0)).count();
    println!("{ran} execs, {} opens and others lost", stage.lost());
    assert_eq!((ran as i64, stage.lost_of("life")), (seen.notes.get(0), before));
}
