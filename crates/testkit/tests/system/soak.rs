//! A short soak; `scripts/soak.sh` makes a long one.

use std::time::Duration;

use tidegate_testkit::fleet::Agent;
use tidegate_testkit::soak::{Plan, soak};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_random_configs_and_kills_when_all_is_over_then_the_last_good_config_runs_and_each_had_its_status()
 {
    let plan =
        Plan { seed: 11, configs: 15, time: Duration::ZERO, hangs: false, probation: "0s", is_told: false };
    let summary = soak(plan, Agent::fake()).await;
    assert!(summary.faults.is_empty(), "{summary}");
    let (proven, failed) = summary.kinds.values().fold((0, 0), |sum, kind| (sum.0 + kind.0, sum.1 + kind.1));
    assert!(
        proven > 3 && failed > 3 && summary.disturbances.len() > 3,
        "the seed shows too little: {summary}"
    );
}
