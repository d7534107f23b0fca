// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;

/**
 * The kernels of {@code ntk/}: Gram matrices of small networks made and analysed outside this
 * project, with λ at five learning rates, η_ms and a bracket of η_c for three batch sizes each.
 */
public final class TangentKernels {
  private TangentKernels() {}

  /** All (matrix, B), in the file's order. */
  public static List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    try (InputStream in = TangentKernels.class.getResourceAsStream("ntk/exponents.json")) {
      new ObjectMapper().readTree(in).get("rows").forEach(node -> rows.add(new Row(node)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return rows;
  }

  /**
   * One matrix with one batch size.
   *
   * @param json its node
   */
  public record Row(JsonNode json) {
    public String name() {
      return json.get("gram").asText().replace(".npy", "") + "/" + batchSize();
    }

    public int batchSize() {
      return json.get("batchSize").asInt();
    }

    public GramMatrix gram() {
      int examples = json.get("examples").asInt();
      int outputs = json.get("outputs").asInt();
      return GramMatrix.adopt(
          read("ntk/" + json.get("gram").asText(), examples * outputs), examples, outputs);
    }

    public double meanSquareRate() {
      return json.get("etaMeanSquare").asDouble();
    }

    public double criticalLow() {
      return json.get("etaCriticalLow").asDouble();
    }

    public double criticalHigh() {
      return json.get("etaCriticalHigh").asDouble();
    }

    public List<Case> cases() {
      List<Case> cases = new ArrayList<>();
      json.get("cases").forEach(node -> cases.add(new Case(this, node)));
      return cases;
    }

    @Override
    public String toString() {
      return name();
    }
  }

  /**
   * λ at one learning rate.
   *
   * @param row matrix and batch size
   * @param json its node
   */
  public record Case(Row row, JsonNode json) {
    /** 0.3, 0.6, 0.9, 0.98 or 1.02. */
    public double nominal() {
      return json.get("nominal").asDouble();
    }

    /** η over the middle of the bracket of η_c. */
    public double fraction() {
      return json.get("fraction").asDouble();
    }

    public double exponent() {
      return json.get("exponent").asDouble();
    }

    public double standardError() {
      return json.get("standardError").asDouble();
    }

    public SgdStep step() {
      return SgdStep.of(json.get("eta").asDouble(), row.batchSize());
    }

    @Override
    public String toString() {
      return row.name() + " at " + nominal();
    }
  }

  /** A square matrix of doubles in NumPy's format, version 1. */
  private static double[][] read(String resource, int size) {
    try (InputStream in = TangentKernels.class.getResourceAsStream(resource)) {
      ByteBuffer bytes = ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN);
      bytes.position(10 + bytes.getShort(8));
      double[][] rows = new double[size][size];
      for (double[] row : rows) {
        bytes.asDoubleBuffer().get(row);
        bytes.position(bytes.position() + 8 * size);
      }
      if (bytes.hasRemaining()) {
        throw new IllegalArgumentException(resource + " has more than " + size + " rows");
      }
      return rows;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
