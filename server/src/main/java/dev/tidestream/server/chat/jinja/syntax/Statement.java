package dev.tidestream.server.chat.jinja.syntax;

import java.util.List;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.Position;

/** A statement of a template, or text between statements. */
public sealed interface Statement {

    /** Text of the template. */
    record Data(String text) implements Statement {}

    /** <code>{{ value }}</code>. */
    record Print(Position at, Expression value) implements Statement {}

    record If(List<Branch> branches, List<Statement> otherwise) implements Statement {}

    /** {@code if} or {@code elif}. */
    record Branch(Expression test, List<Statement> body) {}

    /** {@code otherwise} is for no round at all. */
    record For(Position at, Target target, Expression items, @Nullable Expression condition, List<Statement> body, List<Statement> otherwise,
            boolean recursive) implements Statement {}

    record Assign(Position at, Target target, Expression value) implements Statement {}

    /** <code>{% set target | filter %}…{% endset %}</code>. */
    record AssignBlock(Position at, Target target, @Nullable Expression filter, List<Statement> body) implements Statement {}

    record Macro(String name, MacroBody body) implements Statement {}

    /** <code>{% call(a) macro(…) %}…{% endcall %}</code>: the body is the macro that is called {@code caller}. */
    record CallBlock(Position at, MacroBody caller, Expression call) implements Statement {}

    record FilterBlock(Position at, Expression filter, List<Statement> body) implements Statement {}

    /** Names with values for a body. */
    record With(Position at, List<Target> targets, List<Expression> values, List<Statement> body) implements Statement {}

    /** A scope of its own: what the model wrote, in training. It is rendered as if the tag were not there. */
    record Generation(List<Statement> body) implements Statement {}

    record Break(Position at) implements Statement {}

    record Continue(Position at) implements Statement {}

    /**
     * A macro without its name.
     *
     * @param defaults of the last parameters
     * @param takesMore whether it speaks of {@code varargs}, and so takes more values than it has parameters
     * @param takesKeywords whether it speaks of {@code kwargs}
     * @param takesCaller whether it speaks of {@code caller}
     */
    record MacroBody(Position at, List<String> parameters, List<Expression> defaults, List<Statement> body, boolean takesMore,
            boolean takesKeywords, boolean takesCaller) {}

    /** What is assigned to. */
    sealed interface Target {
        record Variable(String name) implements Target {}

        /** {@code namespace.attribute}. */
        record Member(Position at, String namespace, String attribute) implements Target {}

        /** {@code a, b}: one for each element. */
        record Several(Position at, List<Target> targets) implements Target {}
    }
}
