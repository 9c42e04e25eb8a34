package dev.tidestream.server.chat.jinja.run;

import java.util.List;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Operators;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Value;

/** The variable {@code loop}. One thread. */
final class Loop implements Value.Instance {
    private final List<Value> items;
    private final int depth;
    private final @Nullable Function<Value, Value> again;
    private final Budget budget;
    private int at;
    private @Nullable Value last; // what changed() was asked of

    /**
     * @param depth 0 for a loop that does not call itself
     * @param again renders the loop for other items; null if it is not recursive
     */
    Loop(List<Value> items, int depth, @Nullable Function<Value, Value> again, Budget budget) {
        this.items = items;
        this.depth = depth;
        this.again = again;
        this.budget = budget;
    }

    void at(int index) {
        at = index;
    }

    @Override
    public String typeName() {
        return "loop";
    }

    @Override
    public @Nullable Value attribute(String name) {
        return switch (name) {
            case "index" -> Int.of(at + 1);
            case "index0" -> Int.of(at);
            case "revindex" -> Int.of(items.size() - at);
            case "revindex0" -> Int.of(items.size() - at - 1);
            case "first" -> Bool.of(at == 0);
            case "last" -> Bool.of(at == items.size() - 1);
            case "length" -> Int.of(items.size());
            case "depth" -> Int.of(depth + 1);
            case "depth0" -> Int.of(depth);
            case "previtem" -> at > 0 ? items.get(at - 1) : new Undefined("there is no previous item");
            case "nextitem" -> at + 1 < items.size() ? items.get(at + 1) : new Undefined("there is no next item");
            case "cycle" -> new BuiltIn("loop.cycle", this::cycle);
            case "changed" -> new BuiltIn("loop.changed", this::changed);
            default -> null;
        };
    }

    private Value cycle(Arguments arguments) {
        if (arguments.positional().isEmpty()) {
            throw TemplateException.runtime("no items for cycling given");
        }
        return arguments.positional().get(at % arguments.positional().size());
    }

    private Value changed(Arguments arguments) {
        Value now = Sequence.tuple(arguments.positional().toArray(new Value[0]));
        boolean same = last != null && Operators.equal(last, now, budget);
        last = now;
        return Bool.of(!same);
    }

    @Override
    public boolean callable() {
        return again != null;
    }

    @Override
    public Value call(Arguments arguments) {
        if (again == null) {
            throw TemplateException.runtime("the loop must have the 'recursive' marker to be called recursively");
        }
        return again.apply(arguments.bind("loop", 1, "iterable")[0]);
    }
}
