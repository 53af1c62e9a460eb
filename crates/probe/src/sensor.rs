//! The probe in the kernel: loaded, told what to send, and read.

use std::cell::RefCell;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::time::Duration;

use eyas_event::NATIVE_X86_64;
use libbpf_rs::{Link, Map, MapCore, MapFlags, Object, ObjectBuilder, RingBuffer, RingBufferBuilder};

use crate::calls::{CALLS, ON, STATE};
use crate::procfs;
use crate::translate::Translator;
use crate::{Counters, ProbeError};

static OBJECT: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/probe.bpf.o"));

/// System-call numbers that the kernel side knows.
const NUMBERS: usize = 512;
const CLASSES: [&str; 5] = ["process", "open", "network", "file", "other"];
/// Events this young wait for older ones of other processors.
const WINDOW_NS: u64 = 300_000;

type Queue = Rc<RefCell<Vec<(u64, Vec<u8>)>>>;

/// A loaded probe.
pub struct Sensor {
    object: Box<Object>,
    _links: Vec<Link>,
    ring: RingBuffer<'static>,
    queue: Queue,
    waiting: Vec<(u64, Vec<u8>)>,
}

impl Sensor {
    /// Loads and attaches the probe; nothing is sent before `collect`.
    ///
    /// # Errors
    /// Says whether privilege, BTF or the kernel's consent is missing.
    pub fn open() -> Result<Sensor, ProbeError> {
        crate::doctor::expect_possible()?;
        let refused = |e: libbpf_rs::Error| ProbeError::Refused(format!("{e:#}"));
        let mut open = ObjectBuilder::default().open_memory(OBJECT).map_err(refused)?;
        let cpus = libbpf_rs::num_possible_cpus().map_err(refused)? as u32;
        for mut map in open.maps_mut() {
            match map.name().to_str() {
                Some("scratches") => map.set_max_entries(2 * cpus).map_err(refused)?,
                Some(name) if name.ends_with(".rodata") => {
                    if let Some(data) = map.initial_value_mut().and_then(|d| d.first_chunk_mut::<4>()) {
                        *data = std::process::id().to_ne_bytes();
                    }
                }
                _ => {}
            }
        }
        let object = Box::new(open.load().map_err(refused)?);
        let mut links = Vec::new();
        for program in object.progs_mut() {
            links.push(program.attach().map_err(refused)?);
        }
        let boot_ts = procfs::boot_time();
        let queue: Queue = Rc::default();
        let ring = ring(&object, &queue, boot_ts).map_err(refused)?;
        Ok(Sensor { object, _links: links, ring, queue, waiting: Vec::new() })
    }

    /// Says which events to send: ids of the event table; what the state needs comes with them.
    ///
    /// # Errors
    /// When the kernel refuses the change.
    pub fn collect(&mut self, events: &[u16]) -> Result<(), ProbeError> {
        let mut data = vec![0u8; NUMBERS * 4];
        for call in CALLS.iter().filter(|c| STATE.contains(&c.name) || events.contains(&c.event)) {
            for (_, number) in NATIVE_X86_64.iter().filter(|(name, _)| *name == call.name) {
                if let Some(word) = data.get_mut(*number as usize * 4..*number as usize * 4 + 4) {
                    word.copy_from_slice(&(call.wants | ON).to_ne_bytes());
                }
            }
        }
        data.extend_from_slice(&1u32.to_ne_bytes());
        let map = self.globals().ok_or_else(|| ProbeError::Refused("the probe has no globals".to_owned()))?;
        let size = map.value_size() as usize;
        data.resize(size, 0);
        map.update(&0u32.to_ne_bytes(), &data, MapFlags::ANY)
            .map_err(|e| ProbeError::Refused(format!("{e:#}")))
    }

    fn globals(&self) -> Option<Map<'_>> {
        self.object.maps().find(|m| m.name().to_str().is_some_and(|n| n.ends_with(".bss")))
    }

    /// Hands events to `take`, oldest first, waiting up to `timeout` for the first.
    ///
    /// # Errors
    /// When the ring cannot be read.
    pub fn poll(&mut self, timeout: Duration, take: &mut dyn FnMut(&[u8])) -> Result<(), ProbeError> {
        self.ring.poll(timeout).map_err(|e| ProbeError::Refused(format!("{e:#}")))?;
        self.waiting.append(&mut self.queue.borrow_mut());
        self.waiting.sort_by_key(|(ts, _)| *ts);
        let newest = self.waiting.last().map_or(0, |(ts, _)| *ts);
        let ready = self.waiting.partition_point(|(ts, _)| ts + WINDOW_NS <= newest);
        let ready = if ready == 0 && self.idle() { self.waiting.len() } else { ready };
        self.waiting.drain(..ready).for_each(|(_, event)| take(&event));
        Ok(())
    }

    /// Whether the oldest waiting event is older than the window by the clock.
    fn idle(&self) -> bool {
        let Some((oldest, _)) = self.waiting.first() else { return false };
        crate::now() > oldest + WINDOW_NS
    }

    /// How long until events that wait for older ones can be handed over; none when none wait.
    pub fn due(&self) -> Option<Duration> {
        let (oldest, _) = self.waiting.first()?;
        Some(Duration::from_nanos((oldest + WINDOW_NS + 1).saturating_sub(crate::now())))
    }

    /// Events sent and lost, per class.
    pub fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        let Some(map) = self.object.maps().find(|m| m.name() == "ledger") else { return counters };
        let Ok(Some(values)) = map.lookup_percpu(&0u32.to_ne_bytes(), MapFlags::ANY) else { return counters };
        for value in values {
            let word = |n: usize| {
                value.get(8 * n..8 * n + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_ne_bytes)
            };
            for (n, class) in CLASSES.iter().enumerate() {
                *counters.sent.entry(class).or_default() += word(n);
                *counters.lost.entry(class).or_default() += word(n + CLASSES.len());
            }
        }
        counters
    }
}

/// Readable when the kernel side has sent something.
impl AsFd for Sensor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the ring owns the descriptor and lives as long as the borrow.
        unsafe { BorrowedFd::borrow_raw(self.ring.epoll_fd()) }
    }
}

fn ring(object: &Object, queue: &Queue, boot_ts: u64) -> libbpf_rs::Result<RingBuffer<'static>> {
    let mut builder = RingBufferBuilder::new();
    let maps: Vec<Map<'_>> =
        object.maps().filter(|m| m.name() == "processes" || m.name() == "calls").collect();
    for map in &maps {
        let (queue, translator) = (Rc::clone(queue), Translator::new(boot_ts));
        builder.add(map, move |bytes: &[u8]| {
            let mut event = Vec::new();
            if translator.event(bytes, &mut event).is_some() {
                let ts = event.first_chunk::<8>().map_or(0, |b| u64::from_le_bytes(*b));
                queue.borrow_mut().push((ts, event));
            }
            0
        })?;
    }
    builder.build()
}
