package dev.tidestream.server.logging;

import java.lang.reflect.RecordComponent;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/**
 * One event as one line of {@code key=value} pairs, in the order in which they were added:
 *
 * <pre>{@code update outcome=committed connection=a3 remote=127.0.0.1:50312 update_id="tune-7" version=4}</pre>
 *
 * <p>The first word names the event. A value is a plain word or a JSON string, and nothing in it ends the line or the value before
 * its time. Numbers are written with ASCII digits, whatever the locale. One thread.
 */
public final class EventLine {
    /** Longest text of a client that is shown. */
    public static final int MAX_TEXT_CHARS = 256;

    private static final Pattern PLAIN = Pattern.compile("[\\w.:/@+\\[\\]*%-]+");

    private static final double THOUSAND = 1000;
    private static final Pattern HUMP = Pattern.compile("[A-Z]");

    private final String event;
    private final Map<String, Object> fields = new LinkedHashMap<>(); // numbers and truths as they are, other values as they are shown

    private EventLine(String event) {
        this.event = event;
    }

    /** @param event a word, e.g. {@code update} */
    public static EventLine of(String event) {
        return new EventLine(event);
    }

    /** Adds a number. */
    public EventLine with(String key, long value) {
        fields.put(key, value);
        return this;
    }

    /** Adds a number, to thousandths. */
    public EventLine with(String key, double value) {
        fields.put(key, Math.rint(value * THOUSAND) / THOUSAND);
        return this;
    }

    /** Adds a truth. */
    public EventLine with(String key, boolean value) {
        fields.put(key, value);
        return this;
    }

    /** Adds a value of our own making: a word where it is one, otherwise quoted; null is left out. */
    public EventLine with(String key, @Nullable Object value) {
        if (value != null) {
            String text = value.toString();
            fields.put(key, new Value(text, PLAIN.matcher(text).matches() ? text : LogText.quoted(text, Integer.MAX_VALUE)));
        }
        return this;
    }

    /** Adds text of a client or a file: always quoted, and cut where it is longer than anybody needs; null is left out. */
    public EventLine withText(String key, @Nullable String text) {
        if (text != null) {
            fields.put(key, new Value(LogText.cut(text, MAX_TEXT_CHARS), LogText.quoted(text, MAX_TEXT_CHARS)));
        }
        return this;
    }

    /**
     * Adds all components of a record: {@code maxTokens} as {@code max_tokens}, a time in ms, a record in it as its own components behind
     * its name: {@code queue_max_bytes}.
     */
    public EventLine withAll(Record values) {
        return withAll("", values);
    }

    private EventLine withAll(String prefix, Record values) {
        for (RecordComponent component : values.getClass().getRecordComponents()) {
            String key = prefix + HUMP.matcher(component.getName()).replaceAll("_$0").toLowerCase(Locale.ROOT);
            switch (value(values, component)) {
                case Record nested -> withAll(key + "_", nested);
                case Duration time -> with(key + "_ms", time.toMillis());
                case Object value -> with(key, value);
            }
        }
        return this;
    }

    private static Object value(Record values, RecordComponent component) {
        try {
            return Objects.requireNonNullElse(component.getAccessor().invoke(values), "none");
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException("a record that is not public: " + values, e);
        }
    }

    /** Adds who it was. */
    public EventLine with(Caller caller) {
        return with("connection", caller.connection()).with("remote", caller.remote()).with("token", caller.token())
                .with("trace_id", caller.traceId());
    }

    /**
     * A text.
     *
     * @param text as it is
     * @param shown as it stands in a line
     */
    private record Value(String text, String shown) {
        @Override
        public String toString() {
            return shown;
        }
    }

    /** The word that names it. */
    public String event() {
        return event;
    }

    /** What was added, in its order: {@link Long}, {@link Double}, {@link Boolean}, or text as it is. */
    public Map<String, Object> fields() {
        Map<String, Object> plain = new LinkedHashMap<>();
        fields.forEach((key, value) -> plain.put(key, value instanceof Value v ? v.text : value));
        return plain;
    }

    @Override
    public String toString() {
        StringBuilder line = new StringBuilder(event);
        fields.forEach((key, value) -> line.append(' ').append(key).append('=').append(value));
        return line.toString();
    }
}
