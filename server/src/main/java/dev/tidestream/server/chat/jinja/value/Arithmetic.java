package dev.tidestream.server.chat.jinja.value;

import java.math.BigInteger;

import dev.tidestream.server.chat.jinja.base.Budget;
import dev.tidestream.server.chat.jinja.base.TemplateException;
import dev.tidestream.server.chat.jinja.value.Value.Real;

/** Arithmetic of numbers: floor division and remainder go towards minus infinity, {@code /} always makes a float. */
public final class Arithmetic {
    private static final BigInteger MAX_EXPONENT = BigInteger.valueOf(10_000);

    private Arithmetic() {}

    /** Of two numbers; anything else is an error, first of all what is undefined. */
    public static Value of(String operator, Value a, Value b) {
        Values.defined(a);
        Values.defined(b);
        if (!Operators.isNumber(a) || !Operators.isNumber(b)) {
            throw unsupported(operator, a, b);
        }
        BigInteger x = Values.asInteger(a);
        BigInteger y = Values.asInteger(b);
        return x != null && y != null && !operator.equals("/") ? integers(operator, x, y) : reals(operator, real(a), real(b));
    }

    static TemplateException unsupported(String operator, Value a, Value b) {
        return TemplateException.runtime("unsupported operand type(s) for " + operator + ": '" + Values.typeName(a) + "' and '"
                + Values.typeName(b) + "'");
    }

    private static double real(Value value) {
        Double real = Values.asReal(value);
        if (real == null) {
            throw TemplateException.runtime("must be a number, not " + Values.typeName(value));
        }
        return real;
    }

    private static Value integers(String operator, BigInteger x, BigInteger y) {
        return switch (operator) {
            case "+" -> Operators.integer(x.add(y));
            case "-" -> Operators.integer(x.subtract(y));
            case "*" -> Operators.integer(x.multiply(y));
            case "//" -> {
                BigInteger[] parts = x.divideAndRemainder(nonZero(y));
                boolean below = parts[1].signum() != 0 && parts[1].signum() != y.signum();
                yield Operators.integer(below ? parts[0].subtract(BigInteger.ONE) : parts[0]);
            }
            case "%" -> {
                BigInteger rest = x.remainder(nonZero(y));
                yield Operators.integer(rest.signum() != 0 && rest.signum() != y.signum() ? rest.add(y) : rest);
            }
            case "**" -> power(x, y);
            default -> throw new IllegalArgumentException("not an operator: " + operator);
        };
    }

    private static Value power(BigInteger x, BigInteger y) {
        if (y.signum() < 0) {
            return reals("**", x.doubleValue(), y.doubleValue());
        }
        if (x.bitLength() <= 1 && x.abs().compareTo(BigInteger.ONE) <= 0) {
            return Operators.integer(y.signum() == 0 ? BigInteger.ONE : y.testBit(0) ? x : x.abs());
        }
        if (y.compareTo(MAX_EXPONENT) > 0) {
            throw Budget.limit("an integer becomes too large: exponent=" + y);
        }
        return Operators.integer(x.pow(y.intValue()));
    }

    private static BigInteger nonZero(BigInteger divisor) {
        if (divisor.signum() == 0) {
            throw TemplateException.runtime("integer division or modulo by zero");
        }
        return divisor;
    }

    private static Value reals(String operator, double x, double y) {
        return new Real(switch (operator) {
            case "+" -> x + y;
            case "-" -> x - y;
            case "*" -> x * y;
            case "/" -> x / nonZero(y);
            case "//" -> Math.floor(x / nonZero(y));
            case "%" -> {
                double rest = x % nonZero(y);
                yield rest != 0 && rest < 0 != y < 0 ? rest + y : rest;
            }
            case "**" -> power(x, y);
            default -> throw new IllegalArgumentException("not an operator: " + operator);
        });
    }

    private static double power(double x, double y) {
        if (x == 0 && y < 0) {
            throw TemplateException.runtime("0.0 cannot be raised to a negative power");
        }
        double power = Math.pow(x, y);
        if ((Double.isNaN(power) && !Double.isNaN(x) && !Double.isNaN(y)) || (Double.isInfinite(power) && Double.isFinite(x) && Double.isFinite(y))) {
            throw TemplateException.runtime("Numerical result out of range: " + Printing.real(x) + " ** " + Printing.real(y));
        }
        return power;
    }

    private static double nonZero(double divisor) {
        if (divisor == 0) {
            throw TemplateException.runtime("float division by zero");
        }
        return divisor;
    }
}
