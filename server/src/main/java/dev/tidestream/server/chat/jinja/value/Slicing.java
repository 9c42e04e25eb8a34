package dev.tidestream.server.chat.jinja.value;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;

/** {@code value[from:to:step]} of texts, lists, tuples and ranges. */
public final class Slicing {

    private Slicing() {}

    /** A part of a value; a bound that is null is the end of the value. */
    public static Value slice(Value value, @Nullable Value from, @Nullable Value to, @Nullable Value step, Budget budget) {
        Integer length = Values.length(value);
        boolean indexed = value instanceof Text || (value instanceof Sequence sequence && sequence.kind().indexed());
        if (length == null || !indexed) {
            throw TemplateException.runtime("'" + Values.typeName(Values.defined(value)) + "' object has no slices");
        }
        int size = length;
        int stride = bound(step, 1);
        if (stride == 0) {
            throw TemplateException.runtime("slice step cannot be zero");
        }
        int first = place(bound(from, stride > 0 ? 0 : Integer.MAX_VALUE), size, stride);
        int last = to == null || to instanceof Value.None ? stride > 0 ? size : -1 : place(bound(to, 0), size, stride);
        budget.charge(size);
        if (value instanceof Text text && stride == 1) {
            return first >= last ? text.sub(0, 0) : text.sub(text.offset(first), text.offset(last));
        }
        List<Value> items = Values.iterate(value, budget);
        List<Value> part = new ArrayList<>();
        for (long i = first; stride > 0 ? i < last : i > last; i += stride) {
            part.add(items.get((int) i));
        }
        if (value instanceof Sequence sequence) {
            return Sequence.of(sequence.kind(), part);
        }
        return Texts.join(Text.EMPTY, part, budget).safe(value instanceof Text text && text.safe());
    }

    private static int bound(@Nullable Value value, int otherwise) {
        if (value == null || value instanceof Value.None) {
            return otherwise;
        }
        BigInteger number = Values.asInteger(Values.defined(value));
        if (number == null) {
            throw TemplateException.runtime("slice indices must be integers or None, not '" + Values.typeName(value) + "'");
        }
        return Math.max(Values.clamp(number), -Integer.MAX_VALUE);
    }

    /** Counted from the end if negative, and within the value. */
    private static int place(int bound, int size, int stride) {
        int at = bound < 0 ? bound + size : bound;
        return stride > 0 ? Math.clamp(at, 0, size) : Math.clamp(at, -1, size - 1);
    }
}
