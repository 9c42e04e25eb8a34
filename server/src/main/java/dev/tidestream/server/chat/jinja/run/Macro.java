package dev.tidestream.server.chat.jinja.run;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.syntax.Expression;
import dev.tidestream.server.chat.jinja.syntax.Statement.MacroBody;
import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Value;

/** A macro where it was defined: it sees the variables around its definition, with their later values. One thread. */
final class Macro implements Value.Instance {
    private static final String CALLER = "caller";

    private final String name;
    private final MacroBody body;
    private final Scope around;
    private final Evaluator evaluator;

    Macro(String name, MacroBody body, Scope around, Evaluator evaluator) {
        this.name = name;
        this.body = body;
        this.around = around;
        this.evaluator = evaluator;
    }

    @Override
    public String typeName() {
        return "Macro";
    }

    @Override
    public boolean callable() {
        return true;
    }

    @Override
    public @Nullable Value attribute(String attribute) {
        return switch (attribute) {
            case "name" -> Text.of(name);
            case "arguments" -> Sequence.tuple(body.parameters().stream().map(Text::of).toArray(Value[]::new));
            default -> null;
        };
    }

    @Override
    public Value call(Arguments arguments) {
        Scope scope = around.inner();
        Map<String, Value> named = new LinkedHashMap<>(arguments.named());
        List<String> parameters = body.parameters();
        List<Value> positional = arguments.positional();
        int firstDefault = parameters.size() - body.defaults().size();
        List<Runnable> defaults = new ArrayList<>();
        for (int i = 0; i < parameters.size(); i++) {
            String parameter = parameters.get(i);
            Value value = i < positional.size() ? positional.get(i) : named.remove(parameter);
            if (value == null && i >= firstDefault) {
                Expression expression = body.defaults().get(i - firstDefault);
                defaults.add(() -> scope.set(parameter, evaluator.expressions().evaluate(expression, scope)));
            }
            scope.set(parameter, value != null ? value : new Undefined("parameter '" + parameter + "' was not provided"));
        }
        defaults.forEach(Runnable::run);
        rest(positional, named, scope);
        return evaluator.render(body.body(), scope);
    }

    /** What is left over belongs to {@code caller}, {@code varargs} and {@code kwargs}, where the macro speaks of them. */
    private void rest(List<Value> positional, Map<String, Value> named, Scope scope) {
        if (body.takesCaller() && !body.parameters().contains(CALLER)) {
            Value caller = named.remove(CALLER);
            scope.set(CALLER, caller != null ? caller : new Undefined("No caller defined"));
        }
        int count = body.parameters().size();
        if (body.takesMore()) {
            List<Value> more = positional.size() > count ? positional.subList(count, positional.size()) : List.of();
            scope.set("varargs", Sequence.tuple(more.toArray(new Value[0])));
        } else if (positional.size() > count) {
            throw TemplateException.runtime("macro '" + name + "' takes not more than " + count + " argument(s)");
        }
        if (body.takesKeywords()) {
            Dict more = new Dict();
            named.forEach((keyword, value) -> more.put(Text.of(keyword), value));
            scope.set("kwargs", more);
        } else if (!named.isEmpty()) {
            throw TemplateException.runtime("macro '" + name + "' takes no keyword argument '" + named.keySet().iterator().next() + "'");
        }
    }
}
