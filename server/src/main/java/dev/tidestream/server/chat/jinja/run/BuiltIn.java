package dev.tidestream.server.chat.jinja.run;

import dev.tidestream.server.chat.jinja.value.Arguments;
import dev.tidestream.server.chat.jinja.value.Value;

/** A function or method of the engine's own. */
record BuiltIn(String typeName, Body body) implements Value.Instance {

    /** What it does. */
    interface Body {
        Value call(Arguments arguments);
    }

    @Override
    public boolean callable() {
        return true;
    }

    @Override
    public Value call(Arguments arguments) {
        return body.call(arguments);
    }
}
