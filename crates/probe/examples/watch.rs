//! Prints what the probe sends for two seconds.

use std::time::{Duration, Instant};

use eyas_event::Event;
use eyas_probe::Sensor;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut sensor = Sensor::open()?;
    sensor.collect(&[])?;
    eprintln!("watching");
    let end = Instant::now() + Duration::from_secs(2);
    while Instant::now() < end {
        sensor.poll(Duration::from_millis(50), &mut |bytes| {
            if let Ok(event) = Event::parse(bytes, 0, 0) {
                let texts: Vec<String> = event
                    .info()
                    .params
                    .iter()
                    .enumerate()
                    .filter_map(|(i, p)| {
                        Some(format!("{}={}", p.name, String::from_utf8_lossy(event.text(i)?).escape_debug()))
                    })
                    .take(6)
                    .collect();
                println!("{} {} {}", event.tid, event.info().name, texts.join(" "));
            }
        })?;
    }
    eprintln!("{:?}", sensor.counters());
    Ok(())
}
