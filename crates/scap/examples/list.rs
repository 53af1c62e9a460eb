//! Prints the number and type of every event of a capture.

use eyas_scap::{Item, Reader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: list CAPTURE")?;
    let mut reader = Reader::open(path.as_ref())?;
    let mut num = 0;
    while let Some(item) = reader.next()? {
        if let Item::Event(event) = item {
            num += 1;
            println!("{num} {} {} {} {}", event.ts, event.tid, event.info().id, event.info().name);
        }
    }
    eprintln!("{:?}", reader.tally());
    Ok(())
}
