// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.impl.LossSparseMCXENT;

/**
 * Where the backward sweep starts. An output with T positions and K values at each has T·K values
 * for every example, in the order t·K + k. A value that a mask leaves out has no column. The others
 * have one each, in that order, after those of the outputs before it: the column of value (t, k) of
 * example i starts with R_it e_k, or with e_k for the plain kernel. All examples have as many
 * columns as the one with the most; what an example has too many start with 0.
 */
final class OutputDerivatives {
  private final Output output;
  private final double[][] labels;
  private final double[][] mask;
  private final int[][] counted;
  private final int columns;
  private final int positions;
  private final int width;
  private double[] seen;
  private Curvature.Rows latest;

  /**
   * OutputDerivatives of one output.
   *
   * @param output the output
   * @param value the model's output at the probe set in Deeplearning4j's layout
   * @param labels its labels
   */
  OutputDerivatives(Output output, INDArray value, INDArray labels) {
    this.output = output;
    int examples = (int) labels.size(0);
    boolean sparse = output.loss() instanceof LossSparseMCXENT;
    int channels = output.labelRows().channelAxis(value);
    long[] expected = value.shape();
    if (!output.curvature().labelsFitOutputs() && labels.rank() == expected.length) {
      expected = expected.clone();
      expected[channels] = labels.size(channels); // the loss knows what they mean
    }
    requireShape(labels, expected, sparse ? channels : -1);
    if (output.curvature() instanceof NumericCurvature numeric
        && numeric.derivative() instanceof LossDerivative.Yolo yolo) {
      yolo.on(value.size(channels == 1 ? 2 : 1), value.size(channels == 1 ? 3 : 2));
    }
    int outputs = (int) value.size(channels);
    width = output.curvature().variables(outputs);
    INDArray rows = output.labelRows().forward(examples, labels);
    this.labels = sparse ? oneHot(rows, outputs) : rows.toDoubleMatrix();
    positions = this.labels.length / examples;
    mask = maskRows(output);
    counted = counted(examples);
    // a matrix needs a row, if only one of zeros
    columns = Math.max(1, Arrays.stream(counted).mapToInt(values -> values.length).max().orElse(1));
  }

  /** Those of all outputs of a replica. */
  static List<OutputDerivatives> of(Replica replica, Probe probe) {
    List<OutputDerivatives> derivatives = new ArrayList<>();
    for (int o = 0; o < replica.outputs().size(); o++) {
      derivatives.add(
          new OutputDerivatives(replica.outputs().get(o), replica.values()[o], probe.labels()[o]));
    }
    return derivatives;
  }

  /** The number of columns of all outputs together. */
  static int columns(List<OutputDerivatives> outputs) {
    return outputs.stream().mapToInt(OutputDerivatives::columns).sum();
  }

  /** For each example the number of columns up to the last that does not start with 0. */
  static int[] rows(List<OutputDerivatives> outputs) {
    int[] rows = new int[outputs.get(0).counted.length];
    int first = 0;
    for (OutputDerivatives output : outputs) {
      for (int i = 0; i < rows.length; i++) {
        int own = output.counted[i].length;
        rows[i] = own == 0 ? rows[i] : first + own;
      }
      first += output.columns;
    }
    return rows;
  }

  /** For each example its values t·K + k that no mask leaves out, ascending. */
  private int[][] counted(int examples) {
    int[][] values = new int[examples][];
    for (int i = 0; i < examples; i++) {
      int first = i * positions;
      values[i] =
          IntStream.range(0, positions * width)
              .filter(value -> mask[first + value / width][value % width] != 0)
              .toArray();
    }
    return values;
  }

  /**
   * Refuses labels of another shape than the output's.
   *
   * @param single the axis along which labels have size 1 instead, being class indices, or −1
   */
  private static void requireShape(INDArray labels, long[] output, int single) {
    long[] expected = output.clone();
    if (single >= 0) {
      expected[single] = 1;
    }
    if (!Arrays.equals(labels.shape(), expected)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "labels must have the shape %s%s, got %s; give labels as the model is trained on%s",
              Arrays.toString(expected),
              single < 0 ? " of the model's output" : ", class indices",
              Arrays.toString(labels.shape()),
              expected[0] == labels.size(0)
                  ? ""
                  : ", and let RnnOutputLayer, not OutputLayer, follow recurrent layers"));
    }
  }

  private static double[][] oneHot(INDArray indices, int classes) {
    double[][] rows = new double[(int) indices.size(0)][classes];
    for (int r = 0; r < rows.length; r++) {
      double index = indices.getDouble(r, 0);
      if (index < 0 || index >= classes || index != Math.rint(index)) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "labels of a sparse loss must be class indices 0 … %d, got %s",
                classes - 1,
                index));
      }
      rows[r][(int) index] = 1;
    }
    return rows;
  }

  /** A weight of 0 or 1 for each row and value. */
  private double[][] maskRows(Output output) {
    double[][] rows = new double[labels.length][width];
    for (double[] row : rows) {
      Arrays.fill(row, 1);
    }
    INDArray given = output.mask();
    if (given == null) {
      return rows;
    }
    boolean perRow = given.length() == labels.length;
    if (!perRow && (output.curvature().couplesOutputs() || positions > 1)) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a labels mask must have one entry for each of the %d rows of the output, got %d;"
                  + " mask whole examples or time steps",
              labels.length,
              given.length()));
    }
    double[] entries = given.castTo(DataType.DOUBLE).dup('c').data().asDouble();
    for (int r = 0; r < rows.length; r++) {
      for (int k = 0; k < width; k++) {
        rows[r][k] = perRow ? entries[r] : entries[r * width + k];
      }
    }
    return rows;
  }

  /** The number of columns of each example. */
  int columns() {
    return columns;
  }

  /**
   * Adds this output's derivatives.
   *
   * @param f the output
   * @param from the first of this output's columns
   * @param total the number of columns of all outputs
   * @return derivatives of all columns with respect to the output, stacked
   */
  INDArray derivatives(INDArray f, int from, int total, Weighting weighting) {
    Curvature.Rows loss = at(f);
    int rows = labels.length;
    double[] derivatives = new double[Math.multiplyExact(total * rows, width)];
    for (int i = 0; i < counted.length; i++) {
      double[][] factor = null;
      int of = -1;
      for (int c = 0; c < counted[i].length; c++) {
        int r = i * positions + counted[i][c] / width;
        int k = counted[i][c] % width;
        if (r != of) {
          factor = factor(loss, r, weighting);
          of = r;
        }
        for (int l = 0; l < width; l++) {
          derivatives[((from + c) * rows + r) * width + l] = factor[l][k] * mask[r][l];
        }
      }
    }
    return Nd4j.createFromArray(derivatives)
        .castTo(f.dataType())
        .reshape('c', (long) total * rows, width);
  }

  /**
   * Adds this output's residuals, and returns the loss summed over the examples.
   *
   * @param f the output
   * @param from the first of this output's columns
   * @param total the number of columns of all outputs
   * @param residuals receives them, example-major
   */
  double fit(INDArray f, int from, int total, double[] residuals) {
    Curvature.Rows loss = at(f);
    double[] e = new double[width];
    double[] losses = new double[width];
    double sum = 0;
    for (int i = 0; i < counted.length; i++) {
      int of = -1;
      for (int c = 0; c < counted[i].length; c++) {
        int r = i * positions + counted[i][c] / width;
        int k = counted[i][c] % width;
        if (r != of) {
          Arrays.fill(losses, 0);
          loss.residual(r, e, losses);
          of = r;
        }
        residuals[i * total + from + c] = e[k];
        sum += losses[k];
      }
    }
    return sum;
  }

  private static double[] values(INDArray f) {
    return StackedColumns.packed(f.castTo(DataType.DOUBLE)).data().asDouble();
  }

  /** The loss at the rows of an output; the last is remembered. */
  private Curvature.Rows at(INDArray f) {
    double[] values = values(f);
    if (Arrays.equals(values, seen)) {
      return latest;
    }
    double[][] rows = new double[labels.length][];
    for (int r = 0; r < rows.length; r++) {
      rows[r] = Arrays.copyOfRange(values, r * width, (r + 1) * width);
    }
    latest = output.curvature().at(rows, labels, LossCurvature.weights(output.loss()));
    seen = values;
    return latest;
  }

  /** What was dropped of the curvature at an output, as {@link Curvature.Rows#droppedShare}. */
  double droppedShare(INDArray f) {
    return at(f).droppedShare();
  }

  private double[][] factor(Curvature.Rows loss, int row, Weighting weighting) {
    double[][] r = new double[width][width];
    if (weighting == Weighting.CURVATURE) {
      loss.factor(row, r);
    } else {
      for (int k = 0; k < width; k++) {
        r[k][k] = 1;
      }
    }
    return r;
  }
}
