package dev.tidestream.server.chat;

import java.time.Clock;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.Set;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.chat.jinja.Template;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.base.TemplateLimits;
import dev.tidestream.server.chat.jinja.value.Dict;
import dev.tidestream.server.chat.jinja.value.Sequence;
import dev.tidestream.server.chat.jinja.value.Text;
import dev.tidestream.server.chat.jinja.value.Value;

/**
 * A model's chat template: renders conversations as {@code apply_chat_template} of transformers does. Immutable; any thread.
 *
 * <p>As there, {@code messages}, {@code tools}, {@code documents} and {@code add_generation_prompt} are always there ({@code tools} and
 * {@code documents} as none where there are none), beside the special tokens and what the request adds. Before that, messages get the form
 * that the template can read ({@link MessageForm}), since clients send what OpenAI's interface allows and templates read less.
 *
 * <p>Three differences, all where transformers fails: a template that cannot bear {@code tools: none} is rendered without that name when
 * there are no tools; a content that is null is an empty text; what the template cannot read in one form it gets in the other.
 */
public final class ChatTemplate {
    /**
     * Roles that count as text of a template, in the order of error messages. A template may put a control token together from
     * its own text and a role; any other role is a client's text, whatever it looks like.
     */
    public static final SequencedSet<String> KNOWN_ROLES = Collections.unmodifiableSequencedSet(new LinkedHashSet<>(
            List.of("system", "developer", "user", "assistant", "tool", "function", "ipython", "model", "observation")));

    private static final Set<String> OWN_NAMES = Set.of("messages", "tools", "documents", "add_generation_prompt");

    private final Template template;
    private final SpecialTokens tokens;
    private final Clock clock;
    private final boolean dated;
    private final MessageForm form;

    private ChatTemplate(String source, SpecialTokens tokens, Clock clock) {
        this.template = Template.parse(source, TemplateLimits.DEFAULT);
        this.dated = source.contains("strftime_now");
        this.tokens = tokens;
        this.clock = clock;
        this.form = MessageForm.probe(this::attempt);
    }

    /**
     * Reads a template.
     *
     * @param clock what {@code strftime_now} tells, in its zone
     * @throws ChatTemplateException if it is not a template, or has something in it that is not supported; it says where
     */
    public static ChatTemplate parse(String source, SpecialTokens tokens, Clock clock) {
        try {
            return new ChatTemplate(source, tokens, clock);
        } catch (TemplateException e) {
            throw new ChatTemplateException(e);
        }
    }

    /** What messages are turned into before the template sees them. */
    public MessageForm form() {
        return form;
    }

    /**
     * The prompt for a conversation.
     *
     * @throws ChatTemplateException if the template refuses the conversation, fails on it, or the conversation cannot be rendered at all
     */
    public RenderedChat render(Conversation conversation) {
        return render(conversation, LocalDateTime.now(clock));
    }

    /**
     * The prompt for a conversation as it was at a time.
     *
     * @param now what {@code strftime_now} tells
     * @throws ChatTemplateException as the other method
     */
    public RenderedChat render(Conversation conversation, LocalDateTime now) {
        for (String name : conversation.variables().keySet()) {
            if (OWN_NAMES.contains(name)) {
                throw new ChatTemplateException(ChatTemplateException.Reason.BAD_CONVERSATION,
                        "chat_template_kwargs may not set '" + name + "': it has a field of its own");
            }
        }
        JsonNode messages = form.prepare(conversation.messages());
        Text text = rendered(messages, conversation, now);
        Text prompt = conversation.ending() == Conversation.Ending.LAST_MESSAGE_GOES_ON ? FinalMessage.cut(text, messages) : text;
        return result(prompt, dated ? now : null);
    }

    private RenderedChat result(Text prompt, @Nullable LocalDateTime at) {
        int[] spans = prompt.foreignSpans();
        List<RenderedChat.Span> foreign = new ArrayList<>(spans.length / 2);
        for (int i = 0; i < spans.length; i += 2) {
            foreign.add(new RenderedChat.Span(spans[i], spans[i + 1]));
        }
        RenderedChat chat = new RenderedChat(prompt.chars(), foreign, 0, at);
        String bos = tokens.bos().orElse("");
        boolean there = !bos.isEmpty() && prompt.chars().startsWith(bos) && chat.template(0, bos.length());
        return there ? new RenderedChat(chat.text(), chat.foreign(), bos.length(), at) : chat;
    }

    private Text rendered(JsonNode messages, Conversation conversation, LocalDateTime now) {
        try {
            return template.render(variables(messages, conversation, true), now, false);
        } catch (TemplateException e) {
            boolean none = conversation.tools().isEmpty() || conversation.documents().isEmpty();
            if (none && e.kind() == TemplateException.Kind.RUNTIME) {
                return renderedWithoutNone(messages, conversation, now, e);
            }
            throw new ChatTemplateException(e);
        }
    }

    /** Without {@code tools} and {@code documents} where there are none; if that fails too, the first failure counts. */
    private Text renderedWithoutNone(JsonNode messages, Conversation conversation, LocalDateTime now, TemplateException first) {
        try {
            return template.render(variables(messages, conversation, false), now, false);
        } catch (TemplateException second) {
            ChatTemplateException failure = new ChatTemplateException(first);
            failure.addSuppressed(second);
            throw failure;
        }
    }

    private Map<String, Value> variables(JsonNode messages, Conversation conversation, boolean nones) {
        Map<String, Value> variables = new HashMap<>(tokens.variables());
        conversation.variables().forEach((name, value) -> variables.put(name, JsonValues.of(value)));
        Value all = JsonValues.of(messages);
        ownRoles(all);
        variables.put("messages", all);
        put(variables, "tools", conversation.tools().map(JsonValues::of).orElse(Value.None.NONE), nones);
        put(variables, "documents", conversation.documents().map(JsonValues::of).orElse(Value.None.NONE), nones);
        variables.put("add_generation_prompt", Value.Bool.of(conversation.ending() == Conversation.Ending.ANSWER_BEGINS));
        return variables;
    }

    private static void put(Map<String, Value> variables, String name, Value value, boolean nones) {
        if (nones || !(value instanceof Value.None)) {
            variables.put(name, value);
        }
    }

    /** Makes known roles text of the template. */
    private static void ownRoles(Value messages) {
        if (messages instanceof Sequence list) {
            for (Value message : list.items()) {
                if (message instanceof Dict dict && dict.get("role") instanceof Text role && KNOWN_ROLES.contains(role.chars())) {
                    dict.put(Text.of("role"), Text.of(role.chars()));
                }
            }
        }
    }

    /** What a template makes of these messages as they are; empty text where it fails. */
    private String attempt(JsonNode messages) {
        try {
            return rendered(messages, Conversation.of(messages), LocalDateTime.now(clock)).chars();
        } catch (ChatTemplateException _) {
            return ""; // the form that was tried is one that the template cannot read
        }
    }
}
