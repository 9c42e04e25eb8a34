package dev.tidestream.server.openai.lanes;

import java.util.List;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

import dev.tidestream.server.openai.Backend;
import dev.tidestream.server.openai.ChatPlanner;
import dev.tidestream.server.openai.Plan;
import dev.tidestream.server.openai.responses.ResponseStore;
import dev.tidestream.server.openai.wire.AnswerFormat;
import dev.tidestream.server.openai.wire.BadRequestException;
import dev.tidestream.server.openai.wire.RequestReader;
import dev.tidestream.server.openai.wire.ResponseRequest;
import dev.tidestream.server.openai.wire.TokenTexts;

/** What responses on lanes are made with. Any thread. */
record LaneBackend(Backend model, ResponseStore store, ChatPlanner planner, RequestReader reader, TokenTexts texts) {

    /**
     * What is to be done for a request.
     *
     * @param prior the conversation before it
     * @param plan what is to be generated; null for a warm-up of which there is no prompt yet
     */
    record Planned(ResponseRequest request, List<JsonNode> prior, @Nullable Plan plan) {}

    /** From the text of a {@code response.create}; takes its time. */
    Planned plan(String text, List<JsonNode> prior) throws BadRequestException {
        ResponseRequest request = reader.responseFrame(reader.read(text));
        if (!request.generate() && request.messages().isEmpty()) {
            planner.requireModel(request.common());
            return new Planned(request, prior, null);
        }
        Plan plan = planner.plan(request.common(), request.after(prior), AnswerFormat.CHAT, "input");
        return new Planned(request, prior, request.generate() ? plan : plan.withoutTokens());
    }
}
