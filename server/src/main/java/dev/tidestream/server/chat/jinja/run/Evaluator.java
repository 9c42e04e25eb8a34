package dev.tidestream.server.chat.jinja.run;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import dev.tidestream.server.chat.jinja.base.Position;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.syntax.Statement;
import dev.tidestream.server.chat.jinja.syntax.Statement.Branch;
import dev.tidestream.server.chat.jinja.syntax.Statement.Target;
import dev.tidestream.server.chat.jinja.value.Namespace;
import dev.tidestream.server.chat.jinja.value.Printing;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.TextBuilder;
import dev.tidestream.server.chat.jinja.value.Value;
import dev.tidestream.server.chat.jinja.value.Values;

/** Carries out statements. One rendering, one thread. */
public final class Evaluator {
    private final Rendering runtime;
    private final Expressions expressions;

    /** How a list of statements ended. */
    private enum Flow {
        NEXT,
        BREAK,
        CONTINUE
    }

    private Evaluator(Rendering runtime) {
        this.runtime = runtime;
        this.expressions = new Expressions(runtime);
    }

    /**
     * What a template makes of these variables; they are there in place of functions of the same name.
     *
     * @throws TemplateException if it cannot be rendered
     */
    public static Text render(List<Statement> template, Map<String, Value> variables, Rendering runtime) {
        Map<String, Value> all = new HashMap<>(Functions.all(runtime));
        all.putAll(variables);
        return new Evaluator(runtime).render(template, Scope.of(all));
    }

    Expressions expressions() {
        return expressions;
    }

    /** The text of these statements. */
    Text render(List<Statement> body, Scope scope) {
        TextBuilder out = new TextBuilder(runtime.budget());
        execute(body, scope, out);
        return out.build();
    }

    private Flow execute(List<Statement> body, Scope scope, TextBuilder out) {
        runtime.budget().enter();
        Flow flow = Flow.NEXT;
        for (int i = 0; i < body.size() && flow == Flow.NEXT; i++) {
            flow = execute(body.get(i), scope, out);
        }
        runtime.budget().leave();
        return flow;
    }

    private Flow execute(Statement statement, Scope scope, TextBuilder out) {
        Flow flow = Flow.NEXT;
        switch (statement) {
            case Statement.Data(String text) -> out.append(text);
            case Statement.Print(Position at, var value) ->
                placed(at, () -> Printing.print(expressions.evaluate(value, scope), out, runtime.budget()));
            case Statement.If(var branches, var otherwise) -> flow = execute(choose(branches, otherwise, scope), scope, out);
            case Statement.For loop -> placed(loop.at(), () -> loop(loop, expressions.evaluate(loop.items(), scope), scope, out, 0));
            case Statement.Assign(Position at, Target target, var value) ->
                placed(at, () -> assign(target, expressions.evaluate(value, scope), scope));
            case Statement.AssignBlock(Position at, Target target, var filter, var body) -> placed(at, () -> {
                Text text = render(body, scope.inner());
                assign(target, filter == null ? text : expressions.filtered(filter, text, scope), scope);
            });
            case Statement.Macro(String name, var body) -> scope.set(name, new Macro(name, body, scope, this));
            case Statement.CallBlock(Position at, var body, var call) -> placed(at, () -> {
                Macro caller = new Macro("caller", body, scope, this);
                Printing.print(expressions.called(call, caller, scope), out, runtime.budget());
            });
            case Statement.FilterBlock(Position at, var filter, var body) -> placed(at, () ->
                    Printing.print(expressions.filtered(filter, render(body, scope.inner()), scope), out, runtime.budget()));
            case Statement.With with -> flow = with(with, scope, out);
            case Statement.Generation(var body) -> flow = execute(body, scope.inner(), out);
            case Statement.Break _ -> flow = Flow.BREAK;
            case Statement.Continue _ -> flow = Flow.CONTINUE;
        }
        return flow;
    }

    private static void placed(Position at, Runnable action) {
        try {
            action.run();
        } catch (TemplateException e) {
            throw e.at(at);
        }
    }

    private List<Statement> choose(List<Branch> branches, List<Statement> otherwise, Scope scope) {
        for (Branch branch : branches) {
            if (Values.truth(expressions.evaluate(branch.test(), scope))) {
                return branch.body();
            }
        }
        return otherwise;
    }

    private Flow with(Statement.With with, Scope scope, TextBuilder out) {
        Scope inner = scope.inner();
        for (int i = 0; i < with.targets().size(); i++) {
            int index = i;
            placed(with.at(), () -> assign(with.targets().get(index), expressions.evaluate(with.values().get(index), scope), inner));
        }
        return execute(with.body(), inner, out);
    }

    private void loop(Statement.For loop, Value iterable, Scope scope, TextBuilder out, int depth) {
        List<Value> items = selected(loop, new ArrayList<>(Values.iterate(iterable, runtime.budget())), scope);
        Loop variable = new Loop(items, depth, loop.recursive() ? again(loop, scope, depth + 1) : null, runtime.budget());
        for (int i = 0; i < items.size(); i++) {
            runtime.budget().iteration();
            Scope inner = scope.inner();
            variable.at(i);
            inner.set("loop", variable);
            assign(loop.target(), items.get(i), inner);
            if (execute(loop.body(), inner, out) == Flow.BREAK) {
                return;
            }
        }
        if (items.isEmpty()) {
            execute(loop.otherwise(), scope.inner(), out);
        }
    }

    private Function<Value, Value> again(Statement.For loop, Scope scope, int depth) {
        return items -> {
            TextBuilder inner = new TextBuilder(runtime.budget());
            loop(loop, items, scope, inner, depth);
            return inner.build();
        };
    }

    private List<Value> selected(Statement.For loop, List<Value> items, Scope scope) {
        if (loop.condition() == null) {
            return items;
        }
        List<Value> selected = new ArrayList<>();
        for (Value item : items) {
            runtime.budget().iteration();
            Scope inner = scope.inner();
            assign(loop.target(), item, inner);
            if (Values.truth(expressions.evaluate(loop.condition(), inner))) {
                selected.add(item);
            }
        }
        return selected;
    }

    private void assign(Target target, Value value, Scope scope) {
        switch (target) {
            case Target.Variable(String name) -> scope.set(name, value);
            case Target.Member(Position at, String name, String attribute) -> {
                if (!(scope.find(name) instanceof Namespace namespace)) {
                    throw TemplateException.runtime("cannot assign attribute on non-namespace object '" + name + "'").at(at);
                }
                namespace.values().put(Text.of(attribute), value);
            }
            case Target.Several(Position at, List<Target> targets) -> {
                List<Value> values = unpacked(value, targets.size(), at);
                for (int i = 0; i < targets.size(); i++) {
                    assign(targets.get(i), values.get(i), scope);
                }
            }
        }
    }

    private List<Value> unpacked(Value value, int count, Position at) {
        try {
            List<Value> values = Values.iterate(Values.defined(value), runtime.budget());
            if (values.size() != count) {
                throw TemplateException.runtime((values.size() > count ? "too many" : "not enough") + " values to unpack (expected " + count
                        + ", got " + values.size() + ")");
            }
            return values;
        } catch (TemplateException e) {
            throw e.at(at);
        }
    }
}
