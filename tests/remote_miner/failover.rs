//! The list of servers under a stepped clock: who is tried, who is mined for, who rests how long.

use std::time::Duration;

use proofward::node::client::fleet::{CONNECT_WAIT, FleetAction, LINGER_MAX, ORPHAN_MAX, PATIENCE};
use proofward::node::client::stratum::{JOB_WAIT, REFUSED_MAX, Stratum};
use proofward::node::client::{
    Fate, Fleet, FleetEvent, Offer, Report, ServerEvent, Session, Trouble,
};
use serde_json::{Value, json};

use crate::talk::{EASY, login, notify_params, solve};

struct World {
    fleet: Fleet,
    now: Duration,
    /// Servers to which a connection is wanted or stands.
    connected: Vec<bool>,
    connects: Vec<usize>,
    sent: Vec<(usize, Value)>,
    searched: Vec<(usize, Offer)>,
    is_resting: bool,
    reports: Vec<Report>,
}

impl World {
    fn new(servers: usize) -> Self {
        let session = |_| Session::Stratum(Box::new(Stratum::new(login())));
        let mut world = Self {
            fleet: Fleet::new((0..servers).map(session).collect(), 1),
            now: Duration::ZERO,
            connected: vec![false; servers],
            connects: Vec::new(),
            sent: Vec::new(),
            searched: Vec::new(),
            is_resting: true,
            reports: Vec::new(),
        };
        world.step(FleetEvent::Tick);
        world
    }

    fn step(&mut self, event: FleetEvent) {
        for action in self.fleet.step(event, self.now) {
            match action {
                FleetAction::Connect { server, .. } => {
                    assert!(!self.connected[server], "one connection each");
                    self.connected[server] = true;
                    self.connects.push(server);
                }
                FleetAction::Disconnect { server } => self.connected[server] = false,
                FleetAction::Send { server, line } => {
                    assert!(self.connected[server], "nothing is sent to nobody");
                    self.sent.push((server, serde_json::from_str(&line).expect("JSON")));
                }
                FleetAction::Search { server, offer } => {
                    self.is_resting = false;
                    self.searched.push((server, *offer));
                }
                FleetAction::Rest => self.is_resting = true,
                FleetAction::Report(report) => self.reports.push(report),
                other => panic!("{other:?}"),
            }
        }
    }

    fn at(&mut self, server: usize, event: ServerEvent) {
        self.step(FleetEvent::Server { server, event });
    }

    fn line(&mut self, server: usize, value: Value) {
        self.at(server, ServerEvent::Line(value.to_string()));
    }

    fn answer(&mut self, server: usize, method: &str, result: Value) {
        let is_it = |(to, sent): &&(usize, Value)| *to == server && sent["method"] == method;
        let id = self.sent.iter().rev().find(is_it).expect("asked").1["id"].clone();
        self.line(server, json!({ "id": id, "result": result, "error": null }));
    }

    fn job(&mut self, server: usize, job: &str, prev: u8) {
        let params = notify_params(job, prev, true);
        self.line(server, json!({ "id": null, "method": "mining.notify", "params": params }));
    }

    /// The server takes the connection and delivers a job.
    fn comes_up(&mut self, server: usize) {
        self.opens(server);
        self.job(server, "1", 1);
    }

    /// The server takes the connection, and that is all.
    fn opens(&mut self, server: usize) {
        assert!(self.connected[server], "server {server} is asked");
        self.at(server, ServerEvent::Opened);
        self.answer(server, "mining.subscribe", json!([[["mining.notify", "s"]], "a1b2c3d4", 4]));
        self.answer(server, "mining.authorize", json!(true));
        let easy = json!({ "id": null, "method": "mining.set_difficulty", "params": [EASY] });
        self.line(server, easy);
    }

    fn goes_down(&mut self, server: usize) {
        self.at(server, ServerEvent::Closed(Trouble::Closed));
    }

    fn find(&mut self) {
        let (server, offer) = self.searched.last().expect("a search").clone();
        let solution = solve(&offer);
        self.step(FleetEvent::Found { server, offer: offer.number, solution });
    }

    fn wait(&mut self, duration: Duration) {
        let end = self.now + duration;
        while self.now < end {
            self.now += Duration::from_millis(250);
            self.step(FleetEvent::Tick);
        }
    }

    fn searched_for(&self) -> Option<usize> {
        self.searched.last().map(|(server, _)| *server)
    }

    /// The rests that were told for a server, in the order of its failures.
    fn rests(&self, server: usize) -> Vec<Duration> {
        let of = |report: &Report| match report {
            Report::Left { server: left, retry_in, .. } if *left == server => Some(*retry_in),
            _ => None,
        };
        self.reports.iter().filter_map(of).collect()
    }

    fn fates(&self) -> Vec<Fate> {
        let of = |report: &Report| match report {
            Report::Share { share, .. } => Some(share.fate),
            _ => None,
        };
        self.reports.iter().filter_map(of).collect()
    }
}

#[test]
fn the_first_that_delivers_is_mined_for_and_the_rest_are_left_alone() {
    let mut world = World::new(3);
    assert_eq!(world.connects, [0]);
    world.comes_up(0);
    assert_eq!(world.searched_for(), Some(0));
    for job in 2..60 {
        world.wait(Duration::from_secs(30));
        world.job(0, &job.to_string(), 1);
    }
    assert_eq!(world.connects, [0]);
}

#[test]
fn a_refused_connection_leads_to_the_next_at_once() {
    let mut world = World::new(2);
    world.at(0, ServerEvent::Closed(Trouble::Unreachable("refused".into())));
    assert_eq!(world.connects, [0, 1]);
    world.comes_up(1);
    assert_eq!(world.searched_for(), Some(1));
}

/// The backup is used while the first one is silent, and left when the first one delivers a job, not when it
/// only takes the connection.
#[test]
fn the_first_takes_over_when_it_delivers_a_job() {
    let mut world = World::new(2);
    world.goes_down(0);
    world.comes_up(1);
    world.wait(Duration::from_secs(2));
    assert_eq!(world.connects, [0, 1, 0], "tried again after its rest");
    world.opens(0);
    world.wait(Duration::from_secs(30));
    assert_eq!(world.searched_for(), Some(1));
    world.job(1, "2", 1);
    assert_eq!(world.searched_for(), Some(1));
    world.job(0, "1", 1);
    assert_eq!(world.searched_for(), Some(0));
    world.wait(Duration::from_secs(1));
    assert_eq!(world.connected, [true, false]);
    // What the backup says now is nobody's.
    world.job(1, "3", 1);
    assert_eq!(world.searched_for(), Some(0));
}

#[test]
fn a_connected_but_silent_first_is_left() {
    let mut world = World::new(2);
    world.comes_up(0);
    world.wait(JOB_WAIT);
    assert_eq!(world.connects, [0, 1]);
    assert!(world.reports.iter().any(|report| matches!(
        report,
        Report::Left { server: 0, trouble: Trouble::NoJob(_), .. }
    )));
    world.comes_up(1);
    assert_eq!(world.searched_for(), Some(1));
}

#[test]
fn one_that_takes_long_is_helped_out_by_the_next_beside_it() {
    let mut world = World::new(2);
    world.opens(0);
    world.wait(PATIENCE - Duration::from_secs(1));
    assert_eq!(world.connects, [0]);
    world.wait(Duration::from_secs(1));
    assert_eq!(world.connects, [0, 1]);
    world.comes_up(1);
    assert_eq!((world.searched_for(), world.connected[0]), (Some(1), true));
    world.job(0, "1", 1);
    assert_eq!(world.searched_for(), Some(0));
}

#[test]
fn a_connection_that_never_opens_is_given_up() {
    let mut world = World::new(1);
    world.wait(CONNECT_WAIT);
    assert_eq!(world.rests(0).len(), 1);
    world.wait(Duration::from_secs(2));
    assert_eq!(world.connects, [0, 0]);
}

#[test]
fn rests_grow_to_a_minute_and_start_anew_after_a_good_time() {
    let mut world = World::new(1);
    for _ in 0..12 {
        while !world.connected[0] {
            world.wait(Duration::from_millis(250));
        }
        world.goes_down(0);
    }
    let rests = world.rests(0);
    for (count, rest) in rests.iter().enumerate() {
        let whole = Duration::from_secs(1 << count.min(10)).min(Duration::from_secs(60));
        assert!(*rest >= whole * 3 / 4 && *rest <= whole * 5 / 4, "{count}: {rest:?}");
    }
    while !world.connected[0] {
        world.wait(Duration::from_millis(250));
    }
    world.comes_up(0);
    world.wait(Duration::from_secs(60));
    world.goes_down(0);
    assert!(*world.rests(0).last().expect("one") <= Duration::from_millis(1250));

    // One that delivers a job and hangs up at once does not look well.
    let before = world.rests(0).len();
    for _ in 0..4 {
        while !world.connected[0] {
            world.wait(Duration::from_millis(250));
        }
        world.comes_up(0);
        world.goes_down(0);
    }
    let rests = world.rests(0)[before..].to_vec();
    assert!(rests.windows(2).all(|pair| pair[0] < pair[1]), "{rests:?}");
}

#[test]
fn miners_that_lose_a_server_together_do_not_return_together() {
    let rest = |seed| {
        let session = Session::Stratum(Box::new(Stratum::new(login())));
        let mut fleet = Fleet::new(vec![session], seed);
        fleet.step(FleetEvent::Tick, Duration::ZERO);
        let closed = FleetEvent::Server { server: 0, event: ServerEvent::Closed(Trouble::Closed) };
        let actions = fleet.step(closed, Duration::ZERO);
        let rest = actions.iter().find_map(|action| match action {
            FleetAction::Report(Report::Left { retry_in, .. }) => Some(*retry_in),
            _ => None,
        });
        rest.expect("told")
    };
    let mut rests: Vec<_> = (0..100).map(rest).collect();
    rests.sort_unstable();
    rests.dedup();
    assert!(rests.len() > 20, "{rests:?}");
}

#[test]
fn a_lying_server_rests_long_and_another_takes_over() {
    let mut world = World::new(2);
    world.comes_up(0);
    for _ in 0..REFUSED_MAX {
        world.find();
        let (_, sent) = world.sent.last().expect("a share").clone();
        let error = json!([23, "Low difficulty share", null]);
        world.line(0, json!({ "id": sent["id"], "result": null, "error": error }));
    }
    assert!(world.rests(0)[0] >= Duration::from_secs(45));
    assert_eq!(world.connects, [0, 1]);
    world.comes_up(1);
    world.wait(Duration::from_secs(30));
    assert_eq!(world.connects, [0, 1]);
}

#[test]
fn a_refused_user_is_no_reason_to_knock_every_second() {
    let mut world = World::new(1);
    world.at(0, ServerEvent::Opened);
    world.answer(0, "mining.subscribe", json!([[], "00", 4]));
    let (_, sent) = world.sent.last().expect("authorize").clone();
    let error = json!([24, "Unauthorized worker", null]);
    world.line(0, json!({ "id": sent["id"], "result": null, "error": error }));
    let told = format!("{:?}", world.reports);
    assert!(told.contains("Unauthorized worker"), "{told}");
    world.wait(Duration::from_secs(40));
    assert_eq!(world.connects, [0]);
}

#[test]
fn the_last_job_is_searched_on_for_a_minute_and_its_shares_wait() {
    let mut world = World::new(1);
    world.comes_up(0);
    world.goes_down(0);
    assert!(!world.is_resting);
    world.find();
    world.wait(Duration::from_secs(2));
    world.comes_up(0);
    assert_eq!(world.fates(), []);
    assert_eq!(world.sent.last().expect("sent").1["method"], "mining.submit");
    world.answer(0, "mining.submit", json!(true));
    assert_eq!(world.fates(), [Fate::Accepted]);

    world.goes_down(0);
    let searched = world.searched.len();
    // Nobody takes the next connections.
    let lost_at = world.now;
    while world.now < lost_at + ORPHAN_MAX {
        assert!(!world.is_resting);
        world.wait(Duration::from_millis(250));
        if world.connected[0] {
            world.goes_down(0);
        }
    }
    assert!(world.is_resting);
    assert!(world.reports.contains(&Report::Idle));
    assert_eq!(world.searched.len(), searched);
}

#[test]
fn the_backup_may_answer_its_last_shares() {
    let mut world = World::new(2);
    world.goes_down(0);
    world.comes_up(1);
    world.find();
    world.wait(Duration::from_secs(2));
    world.comes_up(0);
    world.wait(Duration::from_secs(1));
    assert_eq!(world.connected, [true, true], "an answer is owed");
    world.answer(1, "mining.submit", json!(true));
    assert_eq!(world.fates(), [Fate::Accepted]);
    world.wait(Duration::from_secs(1));
    assert_eq!(world.connected, [true, false]);

    // One that owes for ever is left.
    let mut world = World::new(2);
    world.goes_down(0);
    world.comes_up(1);
    world.find();
    world.wait(Duration::from_secs(2));
    world.comes_up(0);
    world.wait(LINGER_MAX);
    assert_eq!(world.connected, [true, false]);
}

#[test]
fn a_request_to_reconnect_is_followed_and_is_no_failure() {
    let mut world = World::new(1);
    world.comes_up(0);
    let params = json!(["eu.example.org", 3334, 4]);
    world.line(0, json!({ "id": null, "method": "client.reconnect", "params": params }));
    assert_eq!(world.rests(0), [Duration::from_secs(4)]);
    world.wait(Duration::from_secs(3));
    assert_eq!(world.connects, [0]);
    let mut led_to = None;
    for _ in 0..8 {
        world.now += Duration::from_millis(250);
        for action in world.fleet.step(FleetEvent::Tick, world.now) {
            if let FleetAction::Connect { address, .. } = action {
                led_to = address;
            }
        }
    }
    assert_eq!(led_to, Some(("eu.example.org".to_owned(), 3334)));
}

#[test]
fn three_servers_fall_and_rise_in_their_order() {
    let mut world = World::new(3);
    world.goes_down(0);
    world.goes_down(1);
    world.comes_up(2);
    assert_eq!(world.searched_for(), Some(2));
    while !world.connected[0] {
        world.wait(Duration::from_millis(250));
    }
    world.goes_down(0);
    while !world.connected[1] {
        world.wait(Duration::from_millis(250));
    }
    world.comes_up(1);
    assert_eq!(world.searched_for(), Some(1));
    world.wait(Duration::from_secs(1));
    assert!(!world.connected[2]);
    // With the second gone, the third is needed again, at once.
    world.goes_down(1);
    while !world.connected[2] {
        world.wait(Duration::from_millis(250));
    }
    world.comes_up(2);
    assert_eq!(world.searched_for(), Some(2));
}
