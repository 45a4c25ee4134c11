//! Tests of a log's screens and keys.

use crate::engine::LogLine;
use crate::tui::effect::Effect;
use crate::tui::event::{Event, Finish};
use crate::tui::fixture::{full, lines, now, over_shot, press, screen, serve, shot, write};
use crate::tui::logs::view::*;
use crate::tui::model::layer::Layer;
use crate::tui::reading::Answer;
use crate::tui::update::update;

const WORKER: &[&str] = &[
    "INFO  job 7719 done in 812ms",
    "WARN  queue depth 1188 above soft limit 1000",
    "INFO  retry scheduled for job 7731 in 8s",
    "DEBUG heap used 455M of 470M",
    "ERROR job 7731 failed: upstream timed out after 30s (attempt 3/5)",
    "        at Worker.run (/srv/worker/index.js:88:14)",
    "        at async Queue.next (/srv/worker/queue.js:41:9)",
    "DEBUG gc pause 812ms",
    "\u{1b}[31mERROR\u{1b}[0m job 7732 failed: upstream timed out after 30s (attempt 1/5)",
    r#"{"level":"info","msg":"started","job":7733,"tenant":"acme-eu"}"#,
    "a bell \u{7}, a clear \u{1b}[2J, a title \u{1b}]0;x\u{7} and \u{1b}[41mred ground\u{1b}[0m",
    "INFO  job 7733 done in 1204ms",
];

/// Returns a model that shows this log in the whole window.
fn shown(width: u16, height: u16, all: &[LogLine]) -> Model {
    let mut model = full(width, height);
    press(&mut model, "l");
    if !model.is_zoomed {
        press(&mut model, "z");
    }
    // Discards the lines of the fixture.
    press(&mut model, "] [");
    serve(&mut model, all);
    model
}

fn typed(model: &mut Model, strokes: &str, text: &str, all: &[LogLine]) {
    press(model, strokes);
    write(model, text);
    press(model, "enter");
    serve(model, all);
}

fn story(width: u16, height: u16, strokes: &str) -> Model {
    let all = lines(WORKER);
    let mut model = shown(width, height, &all);
    for stroke in strokes.split(' ').filter(|stroke| !stroke.is_empty()) {
        press(&mut model, stroke);
        serve(&mut model, &all);
    }
    model
}

#[test]
fn a_title_that_is_too_long_is_cut_at_its_end() {
    let all = lines(WORKER);
    let mut model = shown(40, 12, &all);
    typed(&mut model, "/", "upstream timed out after 30s", &all);
    let shown = screen(&model);
    let border = shown.lines().find(|line| line.contains(" Logs ")).unwrap_or_else(|| panic!("{shown}"));
    assert!(border.contains(" /upstream timed out ") && border.ends_with("… ┓"), "{shown}");
}

#[test]
fn a_search_is_set_off_and_counted() {
    shot("log_search", |width, height| {
        let all = lines(WORKER);
        let mut model = shown(width, height, &all);
        typed(&mut model, "/", "timed out", &all);
        press(&mut model, "N");
        serve(&mut model, &all);
        model
    });
}

#[test]
fn every_form_of_a_line_has_its_picture() {
    for (name, strokes) in [
        ("utc", "t t"),
        ("delta", "t t t t"),
        ("relative", "t t t"),
        ("json_line", "J"),
        ("json_pretty", "J J"),
        ("wrapped", "w"),
        ("selected", "V k k"),
        ("errors", "L L L L"),
        ("stderr", "O O"),
        ("marked", "t t m"),
    ] {
        shot(&format!("log_{name}"), |width, height| story(width, height, strokes));
    }
}

#[test]
fn a_log_that_is_scrolled_sideways_has_its_picture() {
    let all = lines(&[WORKER, &[&"a line that goes on and on ".repeat(10)]].concat());
    shot("log_aside", |width, height| {
        let mut model = shown(width, height, &all);
        press(&mut model, "l l");
        model
    });
}

#[test]
fn a_filter_shows_its_lines_and_is_taken_back_by_esc() {
    let all = lines(WORKER);
    let filtered = |width, height| {
        let mut model = shown(width, height, &all);
        typed(&mut model, "&", "job & !re:done|retry", &all);
        model
    };
    shot("log_filter", filtered);
    let mut model = filtered(80, 24);
    press(&mut model, "&");
    press(&mut model, "end");
    write(&mut model, " & re:(");
    press(&mut model, "enter");
    assert!(screen(&model).contains("unclosed group"), "{}", screen(&model));
    press(&mut model, "esc");
    press(&mut model, "esc");
    serve(&mut model, &all);
    assert!(screen(&model).contains("job 7733 done"), "{}", screen(&model));
}

#[test]
fn errors_are_gone_to_and_what_is_found_is_copied() {
    let mut model = story(80, 24, "< <");
    assert!(screen(&model).contains("»ERROR job 7731"), "{}", screen(&model));
    let effects = press(&mut model, "y");
    let text = "ERROR job 7731 failed: upstream timed out after 30s (attempt 3/5)".to_owned();
    assert_eq!(effects, [Effect::Copy(text)]);
    press(&mut model, "> >");
    serve(&mut model, &lines(WORKER));
    assert!(screen(&model).contains("»ERROR job 7732"), "{}", screen(&model));
    press(&mut model, "V k");
    assert!(screen(&model).contains("2 lines selected"), "{}", screen(&model));
    assert!(screen(&model).contains("\n y copy  Esc clear  f "), "{}", screen(&model));
    let effects = press(&mut model, "y");
    assert!(matches!(effects.as_slice(), [Effect::Copy(text)] if text.lines().count() == 2), "{effects:?}");
    assert!(!screen(&model).contains("selected"), "{}", screen(&model));
}

#[test]
fn a_long_log_is_paused_by_any_upward_move_and_followed_again() {
    let texts: Vec<String> = (0..3000).map(|n| format!("line {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let all = lines(&texts);
    let mut model = shown(80, 24, &all[..2982]);
    assert!(screen(&model).contains("follow ● 2982 lines"), "{}", screen(&model));
    press(&mut model, "ctrl-b");
    serve(&mut model, &all);
    let text = screen(&model);
    assert!(text.contains("paused · +18 new ↓G") && text.contains("line 2,948 of 3000"), "{text}");
    press(&mut model, "g g");
    serve(&mut model, &all);
    assert!(screen(&model).contains("line 1 of 3000"), "{}", screen(&model));
    press(&mut model, "G");
    serve(&mut model, &all);
    assert!(
        screen(&model).contains("line 2999") && screen(&model).contains("follow ●"),
        "{}",
        screen(&model)
    );
}

#[test]
fn merged_logs_have_their_names() {
    let all = lines(WORKER);
    let choosing = |width, height| {
        let mut model = shown(width, height, &all);
        press(&mut model, "M");
        model
    };
    over_shot("log_merge", choosing);
    let merged = |width, height| {
        let mut model = choosing(width, height);
        merge(&mut model, &all);
        model
    };
    shot("log_merged", merged);
    let mut model = merged(100, 20);
    press(&mut model, "M");
    assert!(screen(&model).contains("choose to remove"), "{}", screen(&model));
}

/// Chooses the other log, and answers with lines of both.
fn merge(model: &mut Model, all: &[LogLine]) {
    press(model, "enter");
    assert_eq!(model.pane().log.of.len(), 2);
    assert_eq!(model.wants().logs().first().map(|want| want.containers.len()), Some(2));
    let mut two: Vec<LogLine> = all.to_vec();
    two.iter_mut().skip(1).step_by(2).for_each(|line| line.source = 1);
    for line in &mut two {
        line.number = None;
    }
    let page = crate::engine::LogPage {
        at: two.len(),
        lines: two,
        start: crate::engine::LogPlace(vec![crate::engine::LogSpot::default(); 2]),
        end: crate::engine::LogPlace(vec![crate::engine::LogSpot::default(); 2]),
        is_first: true,
        is_last: true,
    };
    let want = model.wants().logs().remove(0);
    let news = crate::tui::logs::model::LogNews::Page(want.ask.unwrap().0, Ok(page));
    update(model, Event::Answer(want.serial, Answer::Logs(news)));
}

#[test]
fn a_log_is_saved_and_a_file_that_is_there_is_asked_about() {
    let all = lines(WORKER);
    let mut model = shown(80, 24, &all);
    typed(&mut model, "&", "job", &all);
    press(&mut model, "W");
    let effects = press(&mut model, "enter");
    let [Effect::TrySave(save)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(save.path, std::path::Path::new("/api.log"));
    assert_eq!((save.query.filter.rules.len(), save.overwrites), (1, false));
    let effects = update(&mut model, Event::Saving(save.clone(), true));
    assert!(effects.is_empty() && matches!(model.layers.last(), Some(Layer::Confirm(_))));
    let effects = press(&mut model, "y");
    let [Effect::TrySave(again)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(again.overwrites);
    let effects = update(&mut model, Event::Saving(again.clone(), false));
    assert!(matches!(effects.as_slice(), [Effect::Work(..)]), "{effects:?}");
    // Again, it asks again.
    let finish = Finish { text: String::new(), made: None, image: None, opens: false };
    let [Effect::Work(task, _)] = effects.as_slice() else { panic!("{effects:?}") };
    update(&mut model, Event::Finished(*task, Ok(finish)));
    let effects = press(&mut model, "g t r");
    let [Effect::TrySave(again)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(!again.overwrites);
    press(&mut model, "1 l W");
    write(&mut model, "x");
    press(&mut model, "home");
    write(&mut model, "all:");
    let effects = press(&mut model, "enter");
    let [Effect::TrySave(save)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(save.query.filter.is_empty());
}

#[test]
fn since_is_a_key_or_a_moment_that_is_typed() {
    let all = lines(WORKER);
    let mut model = shown(80, 24, &all);
    press(&mut model, "s 1");
    serve(&mut model, &all);
    assert_eq!(model.pane().log.since_moment(), Some(now() - SignedDuration::from_mins(1)));
    typed(&mut model, "s s", "10s", &all);
    let since = (now() - SignedDuration::from_secs(10)).to_zoned(TimeZone::system());
    let since = format!("since {}", since.strftime("%H:%M:%S"));
    assert!(screen(&model).contains(&since) && !screen(&model).contains("7719"), "{}", screen(&model));
    press(&mut model, "s t");
    serve(&mut model, &all);
    assert!(screen(&model).contains("last 1000 lines"), "{}", screen(&model));
    typed(&mut model, "s s", "3d", &all);
    let since = (now() - SignedDuration::from_hours(72)).to_zoned(TimeZone::system());
    assert!(screen(&model).contains(&format!("since {} ", since.date())), "{}", screen(&model));
    press(&mut model, "s s");
    write(&mut model, "soon");
    press(&mut model, "enter");
    assert!(screen(&model).contains("is not a valid time"), "{}", screen(&model));
    press(&mut model, "esc");
    press(&mut model, "s a");
    serve(&mut model, &all);
    assert!(screen(&model).contains("7719"), "{}", screen(&model));
    press(&mut model, "c");
    serve(&mut model, &all);
    assert!(screen(&model).contains("no lines since then"), "{}", screen(&model));
}

#[test]
fn a_search_says_whether_there_is_no_match_or_only_none_in_its_direction() {
    let all = lines(WORKER);
    let mut model = shown(80, 24, &all);
    for (strokes, text, said) in [
        ("/", "nowhere", "no match for `nowhere`"),
        ("n", "", "no match for `nowhere`"),
        ("g g /", "nowhere", "no match for `nowhere`"),
        ("/", "7719", ""),
        ("N", "", "no earlier match for `7719`"),
        ("n", "", "no later match for `7719`"),
        ("G g g /", "7733", ""),
        // It is before the top of the window.
        ("G k esc /", "queue depth", ""),
    ] {
        model.notice = None;
        press(&mut model, strokes);
        serve(&mut model, &all);
        if !text.is_empty() {
            write(&mut model, text);
            press(&mut model, "enter");
            serve(&mut model, &all);
        }
        let notice = model.notice.as_ref().map_or("", |notice| notice.text.as_str());
        assert_eq!(notice, said, "{strokes} {text}");
        assert_eq!(model.pane().log.hit.is_some(), !said.contains("no match"), "{strokes} {text}");
    }
}

#[test]
fn a_log_of_a_terminal_is_shown_as_the_terminal_would() {
    let all = lines(&["\u{1b}[?2004h\u{1b}[32m/ #\u{1b}[m ls\u{1b}[J\r", "10%\r 20%\r100%\u{1b}[K\r"]);
    let shown = screen(&shown(80, 24, &all));
    assert!(shown.contains(" / # ls ") && shown.contains(" 100% "), "{shown}");
    assert!(!shown.contains('␛') && !shown.contains('␍') && !shown.contains("10%\u{20}"), "{shown}");
}

#[test]
fn numbers_are_short() {
    for (number, text) in [
        (0, "0"),
        (9999, "9999"),
        (12_400, "12.4k"),
        (999_999, "999k"),
        (2_140_000, "2.1M"),
        (3_000_000_000, "3.0G"),
    ] {
        assert_eq!(short(number), text);
    }
    assert_eq!(
        (grouped(7), grouped(1234), grouped(12_345_678)),
        ("7".into(), "1,234".into(), "12,345,678".into())
    );
    let millis = [-5, 12, 1200, 192_000, 18_120_000].map(|millis| delta(SignedDuration::from_millis(millis)));
    assert_eq!(millis, ["-5ms", "+12ms", "+1.20s", "+3m12s", "+5h02m"]);
}
