package dev.tidestream.server.chat.jinja.syntax;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Position;
import dev.tidestream.server.chat.jinja.value.Value;

/** An expression of a template. {@code at} is where errors of it are reported. */
public sealed interface Expression {
    Position at();

    /** A text, number, truth value or none. */
    record Literal(Position at, Value value) implements Expression {}

    record Name(Position at, String name) implements Expression {}

    /** {@code [a, b]}, or {@code (a, b)}. */
    record ListLiteral(Position at, List<Expression> items, boolean tuple) implements Expression {}

    /** {@code {key: value}}; as many keys as values. */
    record DictLiteral(Position at, List<Expression> keys, List<Expression> values) implements Expression {}

    record Not(Position at, Expression operand) implements Expression {}

    /** {@code -a}, or {@code +a}. */
    record Sign(Position at, Expression operand, boolean negative) implements Expression {}

    record And(Position at, Expression left, Expression right) implements Expression {}

    record Or(Position at, Expression left, Expression right) implements Expression {}

    /** {@code + - * / // % **}. */
    record Arithmetic(Position at, String operator, Expression left, Expression right) implements Expression {}

    /** {@code a ~ b ~ c}. */
    record Concatenation(Position at, List<Expression> parts) implements Expression {}

    /** {@code a < b <= c}. */
    record Comparison(Position at, Expression first, List<Operand> rest) implements Expression {}

    /** {@code then if test else otherwise}. */
    record Conditional(Position at, Expression test, Expression then, @Nullable Expression otherwise) implements Expression {}

    /** {@code a.name}. */
    record Attribute(Position at, Expression target, String name) implements Expression {}

    /** {@code a[key]}. */
    record Item(Position at, Expression target, Expression key) implements Expression {}

    /** {@code a[from:to:step]}. */
    record Slice(Position at, Expression target, @Nullable Expression from, @Nullable Expression to, @Nullable Expression step)
            implements Expression {}

    record Call(Position at, Expression target, Passed passed) implements Expression {}

    /** {@code a|name(…)}; without a target in a block whose text is filtered. */
    record Filter(Position at, @Nullable Expression target, String name, Passed passed) implements Expression {}

    /** {@code a is name(…)}. */
    record Test(Position at, Expression target, String name, Passed passed) implements Expression {}

    /** One step of a comparison: {@code == != < <= > >=}, {@code in}, {@code not in}. */
    record Operand(String operator, Expression value) {}

    /** A keyword of a call and its value. */
    record Keyword(String name, Expression value) {}

    /** What a call passes: {@code (a, name=b, *list, **dict)}. */
    record Passed(List<Expression> positional, List<Keyword> keywords, @Nullable Expression list, @Nullable Expression dict) {
        public static final Passed NOTHING = new Passed(List.of(), List.of(), null, null);
    }
}
