//! Prints the reference page of system calls.

fn main() {
    print!("{}", eyas_probe::page());
}
