package dev.tidestream.server.scheduler.fair;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

/** Turns of accounts, and within each turns of its connections: a {@link Ring} of rings. */
public final class FairShares {
    private final long quantum;
    private final Ring<Object> accounts;
    private final Map<Object, Ring<Party>> connections = new HashMap<>(); // by account

    /** @param quantum tokens that a party is served in its turn, at least 1 */
    public FairShares(long quantum) {
        this.quantum = quantum;
        this.accounts = new Ring<>(quantum);
    }

    /** One more stream of a party is here. */
    public void join(Party party) {
        accounts.join(party.account());
        connections.computeIfAbsent(party.account(), account -> new Ring<>(quantum)).join(party);
    }

    /** One less is; what a party owes is forgotten with its last. */
    public void leave(Party party) {
        accounts.leave(party.account());
        Ring<Party> ofAccount = of(party.account());
        ofAccount.leave(party);
        if (ofAccount.isEmpty()) {
            connections.remove(party.account());
        }
    }

    private Ring<Party> of(Object account) {
        Ring<Party> ring = connections.get(account);
        if (ring == null) {
            throw new IllegalStateException("account has no connections: " + account);
        }
        return ring;
    }

    /** Whose turn it is of those that the test says; null if there are none. */
    public @Nullable Party next(Predicate<Party> eligible) {
        Object account = accounts.next(candidate -> of(candidate).any(eligible));
        return account == null ? null : of(account).next(eligible);
    }

    /** Tokens that a party, whose turn it is, may be served before another has its turn. */
    public long balance(Party party) {
        return Math.min(accounts.balance(party.account()), of(party.account()).balance(party));
    }

    /** A party was served so many tokens; nothing happens if it has left. */
    public void charge(Party party, long tokens) {
        Ring<Party> ofAccount = connections.get(party.account());
        if (ofAccount != null) {
            accounts.charge(party.account(), tokens);
            ofAccount.charge(party, tokens);
        }
    }

    /** All debts are over: nobody had to wait. */
    public void forgive() {
        accounts.forgive();
        connections.values().forEach(Ring::forgive);
    }
}
