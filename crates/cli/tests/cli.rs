//! The real `tidegate` binary against a canned server: stdout, stderr and exit codes.

#[cfg(test)]
mod cli {
    mod agents;
    mod attention;
    mod canned;
    mod commands;
    mod events;
    mod inspect;
    mod mcp;
    mod metrics;
    mod plans;
    mod program;
    mod pushes;
    mod repush;
    mod schemas;
    mod settings;
    mod streams;
    mod values;
}
