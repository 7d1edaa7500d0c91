//! The protocol against its specification, against other implementations, and against noise.

#[cfg(test)]
mod it {
    mod catalogue;
    mod noise;
    mod oracle;
    mod rng;
    mod round_trip;
    mod strategies;
    mod streams;
    mod tables;
    mod twins;
    mod unknown;
}
