// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.data;

import java.util.Arrays;
import org.lyapunov4j.samples.cli.Input;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;

/** A fixed set of N training examples, inputs and targets as rows. */
public final class Examples {
  private final String description;
  private final float[][] inputs;
  private final float[][] targets;

  Examples(String description, float[][] inputs, float[][] targets) {
    this.description = description;
    this.inputs = inputs;
    this.targets = targets;
  }

  /** Examples along the first axis, all other axes in one. */
  static Examples of(String description, INDArray inputs, INDArray targets) {
    Input.require(
        inputs.size(0) == targets.size(0),
        "%s must have as many examples, got %d and %d; check the files",
        description,
        inputs.size(0),
        targets.size(0));
    return new Examples(description, rows(inputs), rows(targets));
  }

  private static float[][] rows(INDArray array) {
    return array
        .castTo(DataType.FLOAT)
        .reshape('c', array.size(0), array.length() / array.size(0))
        .toFloatMatrix();
  }

  static void requireEnough(int count, int available) {
    Input.require(
        count <= available,
        "--examples must be at most %d, what these data hold, got %d",
        available,
        count);
  }

  /** So many of these examples, drawn without replacement; a smaller count gives a subset. */
  Examples some(int count, RandomStream random) {
    requireEnough(count, size());
    int[] chosen = StratifiedChoice.choose(new int[size()], count, random);
    return new Examples(
        description,
        Arrays.stream(chosen).mapToObj(i -> inputs[i]).toArray(float[][]::new),
        Arrays.stream(chosen).mapToObj(i -> targets[i]).toArray(float[][]::new));
  }

  /**
   * Where the examples come from and how they were scaled.
   *
   * @return for people, one line
   */
  public String description() {
    return description;
  }

  /**
   * The number of examples.
   *
   * @return N ≥ 1
   */
  public int size() {
    return inputs.length;
  }

  /**
   * The length of an input.
   *
   * @return at least 1
   */
  public int inputWidth() {
    return inputs[0].length;
  }

  /**
   * The number of outputs.
   *
   * @return K ≥ 1
   */
  public int outputs() {
    return targets[0].length;
  }

  /** These examples with every input column at mean 0. */
  Examples centred() {
    return mapColumns((value, mean, deviation) -> value - mean);
  }

  /**
   * These examples with every input column at mean 0 and variance 1; a constant column becomes 0.
   */
  Examples standardised() {
    return mapColumns((value, mean, deviation) -> deviation == 0 ? 0 : (value - mean) / deviation);
  }

  private interface ColumnMap {
    double apply(double value, double mean, double deviation);
  }

  private Examples mapColumns(ColumnMap map) {
    float[][] mapped = new float[inputs.length][inputWidth()];
    for (int j = 0; j < inputWidth(); j++) {
      double mean = 0;
      double variance = 0;
      for (float[] row : inputs) {
        mean += row[j] / (double) inputs.length;
      }
      for (float[] row : inputs) {
        variance += (row[j] - mean) * (row[j] - mean) / inputs.length;
      }
      for (int i = 0; i < inputs.length; i++) {
        mapped[i][j] = (float) map.apply(inputs[i][j], mean, Math.sqrt(variance));
      }
    }
    return new Examples(description, mapped, targets);
  }

  /**
   * The examples as Deeplearning4j takes them.
   *
   * @param type precision of the new arrays
   * @return features N × inputs and labels N × K
   */
  public DataSet toDataSet(DataType type) {
    return new DataSet(
        Nd4j.createFromArray(inputs).castTo(type), Nd4j.createFromArray(targets).castTo(type));
  }
}
