//! The neighbours of sections C, D, E and G: every key of every JSON body with
//! every value that may stand there and does not fit.

use crate::common::Answer;
use crate::shapes::{ENDPOINTS, Endpoint, bodies, values};
use crate::world::{World, shown};

/// Asks, and checks that a refusal changed nothing, and that what was taken
/// leaves everything readable.
pub(crate) async fn check(
    world: &World,
    endpoint: &Endpoint,
    body: Vec<u8>,
    before: &str,
) -> Answer {
    let what = format!("{}: {}", endpoint.what, shown(&body));
    let answer = world.answer(&what, endpoint.ask(world, body)).await;
    if answer.status.is_client_error() {
        assert_eq!(world.mark().await, *before, "{what} changed something");
        return answer;
    }
    endpoint.undo(world).await;
    for path in ["/", "/alice/dev/demo/1.0"] {
        let ask = world.by_root("GET", path).accept("application/json");
        let read = world.answer(&what, ask).await;
        assert_eq!(read.status, 200, "{what}, then {path}: {read:?}");
        assert!(read.json()["result"].is_object(), "{what}, then {path}");
    }
    answer
}

async fn check_all(endpoint: &Endpoint) {
    let world = World::new().await;
    let (mut taken, mut refused) = (0, 0);
    let mut before = world.mark().await;
    let members = endpoint
        .members()
        .map(|(key, value)| endpoint.body(key, &value).into_bytes());
    let (state, all) = (world.state().await, members.chain(bodies()));
    for body in all {
        let answer = check(&world, endpoint, body, &before).await;
        if answer.status.is_client_error() {
            refused += 1;
        } else {
            taken += 1;
            before = world.mark().await;
        }
    }
    assert!(
        refused > 50,
        "{}: {refused} of {}",
        endpoint.what,
        refused + taken
    );
    if taken == 0 {
        assert_eq!(world.state().await, state, "{}", endpoint.what);
    }
    let page = world.larder.page("alice/dev", "demo").await;
    assert_eq!(page.status, 200, "{}: {page:?}", endpoint.what);
}

macro_rules! each_body {
    ($($name:ident = $at:literal),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                check_all(&ENDPOINTS[$at]).await;
            }
        )+
    };
}

each_body! {
    c02_c15_login = 0,
    d16_d32_new_user = 1,
    d16_d32_change_of_a_user = 2,
    e01_e45_new_index = 3,
    e47_e64_new_mirror = 4,
    e03_e28_change_of_an_index = 5,
    e47_e64_change_of_a_mirror = 6,
    yank = 7,
    g15_g19_test_result = 8,
    g01_g13_push = 9,
    g01_g13_push_elsewhere = 10,
}

#[tokio::test]
async fn e23_e25_operations_on_an_index() {
    let world = World::new().await;
    let endpoint = &ENDPOINTS[5];
    let mut before = world.mark().await;
    let keys = endpoint.keys().collect::<Vec<_>>();
    for key in keys {
        for operator in ["=", "+=", "-=", ":=", "=="] {
            for value in [
                "",
                "x",
                "\\u0000",
                "root/pypi,root/public",
                "[]",
                "{\\\"a\\\":1}",
                "a=b+=c",
                "*",
            ] {
                let body = format!("[\"{key}{operator}{value}\"]").into_bytes();
                if check(&world, endpoint, body, &before).await.status == 200 {
                    before = world.mark().await;
                }
            }
        }
    }
    for value in values() {
        let body = format!("[{value}]").into_bytes();
        let answer = check(&world, endpoint, body, &before).await;
        let is_nothing = value.is_empty();
        assert!(
            is_nothing || answer.status.is_client_error(),
            "{value}: {answer:?}"
        );
    }
}
