package dev.tidestream.server.chat.jinja.value;

import java.math.BigInteger;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.TemplateException;

/** A value of a template. What an operation means for each of them is Python's; see {@link Values}, {@link Operators}, {@link Printing}. */
public sealed interface Value permits Value.None, Value.Bool, Value.Int, Value.Real, Value.Undefined, Value.Instance, Text, Sequence, Lazy,
        Dict {

    /** Python's {@code None}. */
    enum None implements Value {
        NONE
    }

    /** {@code True} and {@code False}; in arithmetic 1 and 0. */
    enum Bool implements Value {
        TRUE,
        FALSE;

        public static Bool of(boolean truth) {
            return truth ? TRUE : FALSE;
        }
    }

    /** An integer without bounds, but for those of {@link Operators#integer}. */
    record Int(BigInteger value) implements Value {
        public static Int of(long value) {
            return new Int(BigInteger.valueOf(value));
        }
    }

    /** A float64. */
    record Real(double value) implements Value {}

    /** The value of a name or attribute that is not there; {@code reason} is what is said if it is used. */
    record Undefined(String reason) implements Value {}

    /** What has attributes or can be called: functions, macros, methods, {@code loop}, a namespace. Equal to itself only. */
    non-sealed interface Instance extends Value {
        /** Its type, as errors name it. */
        String typeName();

        /** An attribute, or null. */
        default @Nullable Value attribute(String name) {
            return null;
        }

        default boolean callable() {
            return false;
        }

        /** Calls it. */
        default Value call(Arguments arguments) {
            throw TemplateException.runtime("'" + typeName() + "' object is not callable");
        }
    }
}
