// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.SgdStep;

/**
 * The reference cases of {@code lyapunov-cases.json}: exact or high-precision values that this code
 * did not make.
 */
public final class ReferenceCases {
  private ReferenceCases() {}

  /** All cases, in the file's order. */
  public static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    root().get("cases").forEach(node -> cases.add(new Case(node)));
    return cases;
  }

  /** The case with the given id. */
  public static Case named(String id) {
    return all().stream().filter(c -> c.id().equals(id)).findFirst().orElseThrow();
  }

  /** The entry of {@code generic_products} with the given id. */
  public static JsonNode genericProduct(String id) {
    for (JsonNode node : root().get("generic_products")) {
      if (node.get("id").asText().equals(id)) {
        return node;
      }
    }
    throw new IllegalArgumentException("no generic product " + id);
  }

  private static JsonNode root() {
    try (InputStream in = ReferenceCases.class.getResourceAsStream("lyapunov-cases.json")) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A value with its standard error; exact values have error 0. */
  public record Value(double value, double standardError) {}

  /** One case. */
  public record Case(JsonNode json) {
    public String id() {
      return json.get("id").asText();
    }

    public GramMatrix gram() {
      JsonNode rows = json.get("G");
      double[][] g = new double[rows.size()][rows.size()];
      for (int i = 0; i < g.length; i++) {
        for (int j = 0; j < g.length; j++) {
          g[i][j] = rows.get(i).get(j).asDouble();
        }
      }
      return GramMatrix.of(g, json.get("N").asInt(), json.get("K").asInt());
    }

    public SgdStep step() {
      return SgdStep.of(json.get("eta").asDouble(), json.get("B").asInt())
          .withSampling(
              json.get("sampling").asText().equals("epoch_shuffle")
                  ? MiniBatchSampling.SHUFFLED_EPOCHS
                  : MiniBatchSampling.IID_SUBSETS);
    }

    /** Whether the case lists this field with a value. */
    public boolean has(String field) {
      return json.hasNonNull(field);
    }

    /** A plain number; "-Infinity" is read as such. */
    public double number(String field) {
      return number(json.get(field));
    }

    /** A number with a standard error. */
    public Value value(String field) {
      JsonNode node = json.get(field);
      return node.isObject()
          ? new Value(number(node.get("value")), number(node.get("se")))
          : new Value(number(node), 0);
    }

    /** The headline exponent: the one on range(G). */
    public Value quotientExponent() {
      return has("lambda_quotient") ? value("lambda_quotient") : value("lambda");
    }

    /** {@code stable}, {@code unstable} or {@code zero}. */
    public String sign() {
      return json.get("sign").asText();
    }

    private static double number(JsonNode node) {
      return node.isTextual() ? Double.parseDouble(node.asText()) : node.asDouble();
    }

    @Override
    public String toString() {
      return id();
    }
  }
}
