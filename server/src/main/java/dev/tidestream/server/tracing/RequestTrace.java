package dev.tidestream.server.tracing;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.propagation.W3CTraceContextPropagator;
import io.opentelemetry.context.Context;
import io.opentelemetry.context.propagation.TextMapGetter;
import org.jspecify.annotations.Nullable;

/**
 * Where a request belongs in the trace of whoever has sent it. What a client says is read as W3C Trace Context has it
 * (<a href="https://www.w3.org/TR/trace-context/">Recommendation</a>): a {@code traceparent} that is malformed, or is there twice, is as
 * none, and then {@code tracestate} counts for nothing, too; a malformed {@code tracestate} alone is left out. Any thread.
 *
 * @param parent the caller's span; not valid if the request is of no trace
 * @param chat whether the prompt was made of messages
 */
public record RequestTrace(SpanContext parent, boolean chat) {
    /** The header, and the field of messages, that says which span a request comes from. */
    public static final String PARENT = "traceparent";
    /** The header, and the field of messages, with what the systems on the way have to say. */
    public static final String STATE = "tracestate";

    /** Of no trace. */
    public static final RequestTrace NONE = new RequestTrace(SpanContext.getInvalid(), false);

    private static final TextMapGetter<Map<String, String>> FIELDS = new TextMapGetter<>() {
        @Override
        public @Nullable String get(@Nullable Map<String, String> fields, String name) {
            return fields == null ? null : fields.get(name);
        }
    };

    /**
     * What a message says.
     *
     * @param traceparent null if it says nothing
     * @param tracestate null if it says nothing
     */
    public static RequestTrace of(@Nullable String traceparent, @Nullable String tracestate) {
        Map<String, String> fields = new HashMap<>();
        if (traceparent != null) {
            fields.put(PARENT, traceparent);
        }
        if (tracestate != null) {
            fields.put(STATE, tracestate);
        }
        Context extracted = W3CTraceContextPropagator.getInstance().extract(Context.root(), fields, FIELDS);
        SpanContext parent = Span.fromContext(extracted).getSpanContext();
        return parent.isValid() ? new RequestTrace(parent, false) : NONE;
    }

    /**
     * What the headers of a request say. Where an agent has begun a span for the request in this thread, that is the parent: it is a child
     * of what the headers name.
     *
     * @param traceparents all headers of that name; of more than one, none counts
     * @param tracestates all headers of that name, which are one list
     */
    public static RequestTrace of(List<String> traceparents, List<String> tracestates) {
        SpanContext current = Span.current().getSpanContext();
        if (current.isValid()) {
            return new RequestTrace(current, false);
        }
        return of(traceparents.size() == 1 ? traceparents.getFirst().strip() : null, tracestates.isEmpty() ? null : String.join(",", tracestates));
    }

    /** The same of a prompt that was made of messages. */
    public RequestTrace asChat() {
        return new RequestTrace(parent, true);
    }

    /** The caller's trace, 32 hexadecimal digits; null if there is none. */
    public @Nullable String traceId() {
        return parent.isValid() ? parent.getTraceId() : null;
    }

    /** As it stands in a header; null if there is none. */
    public @Nullable String traceparent() {
        return injected().get(PARENT);
    }

    /** As it stands in a header; null if there is none. */
    public @Nullable String tracestate() {
        return injected().get(STATE);
    }

    private Map<String, String> injected() {
        Map<String, String> fields = new HashMap<>();
        if (parent.isValid()) {
            W3CTraceContextPropagator.getInstance().inject(Context.root().with(Span.wrap(parent)), fields, (to, name, value) -> {
                if (to != null) {
                    to.put(name, value);
                }
            });
        }
        return fields;
    }
}
