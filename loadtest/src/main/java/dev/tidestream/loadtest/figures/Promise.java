package dev.tidestream.loadtest.figures;

/** What a server promises, and the tool checks. */
public enum Promise {
    ACCEPTED("accepted comes first and once, progress before the first token", "streams"),
    SEQUENCE("seq is 0, 1, 2, …: no token is lost, repeated or out of order", "tokens"),
    FORM("events have the form that clients rely on: object, type, role, one id, one model", "events"),
    NUMBERED("events are numbered: none is lost, repeated or out of order", "events"),
    WHOLE("the text at the end is the text of the pieces", "streams"),
    TERMINAL("a stream has one end that says why, and nothing but [DONE] comes after it", "streams"),
    DONE("[DONE] ends a stream", "streams"),
    RESUMED("a dropped stream goes on on another connection, as the same stream", "resumes"),
    REPEATED("the same prompt and seed give the same text again", "repeats"),
    PINNED("a pinned stream never changes its weights version", "tokens"),
    FOLLOWING("a following stream never falls back to an older weights version", "tokens"),
    ACKNOWLEDGED("a stream begins with weights no older than acknowledged before its request", "streams"),
    MAX_TOKENS("no more tokens than asked for", "tokens"),
    CREDIT("no token beyond the credit", "tokens"),
    USAGE("usage is what came", "streams"),
    CANCELLED("no stream is cancelled unless its client asked for it", "streams"),
    CANCEL_ENDS("a cancelled stream ends within 5 s", "streams"),
    FRAME("every frame can be read, and none comes before the beginning or after the end of its stream", "frames"),
    SILENCE("no silence of --stall in spite of credit", "looks"),
    CONNECTION("no connection is closed under streams or watchers", "streams and watchers"),
    NEWS("news of weights never go back", "news");

    private final String text;
    private final String unit;

    Promise(String text, String unit) {
        this.text = text;
        this.unit = unit;
    }

    /** The promise in words. */
    public String text() {
        return text;
    }

    /** What is counted: each of these was checked once. */
    public String unit() {
        return unit;
    }
}
