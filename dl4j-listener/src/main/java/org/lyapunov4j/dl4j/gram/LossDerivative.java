// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.deeplearning4j.nn.conf.CNN2DFormat;
import org.deeplearning4j.nn.layers.objdetect.Yolo2OutputLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.linalg.activations.IActivation;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.lossfunctions.ILossFunction;

/** Deeplearning4j's own derivative ∂ℓ/∂z of a loss with respect to pre-activations, row by row. */
interface LossDerivative {
  /** The name of the loss. */
  String name();

  /** ∂ℓ/∂z of all rows. */
  double[][] gradient(double[][] z, double[][] y);

  /** The loss, summed over rows. */
  double loss(double[][] z, double[][] y);

  /** Whether a row may be asked for alone. */
  boolean takesSingleRows();

  /** Of a loss function over an activation. */
  record Function(ILossFunction function, IActivation activation) implements LossDerivative {
    @Override
    public String name() {
      return function.getClass().getSimpleName();
    }

    @Override
    public double[][] gradient(double[][] z, double[][] y) {
      return function
          .computeGradient(Nd4j.createFromArray(y), Nd4j.createFromArray(z), activation, null)
          .castTo(DataType.DOUBLE)
          .toDoubleMatrix();
    }

    @Override
    public double loss(double[][] z, double[][] y) {
      return function.computeScore(
          Nd4j.createFromArray(y), Nd4j.createFromArray(z), activation, null, false);
    }

    @Override
    public boolean takesSingleRows() {
      return true;
    }
  }

  /**
   * Of YOLO's output layer, which is its own loss; a row is a cell of the grid. Deeplearning4j
   * takes the overlap of boxes, and which box answers for an object, as constants, and so does
   * this.
   */
  final class Yolo implements LossDerivative {
    private static final LayerWorkspaceMgr NONE = LayerWorkspaceMgr.noWorkspaces();

    private final Yolo2OutputLayer layer;
    private final boolean channelsLast;
    private final int examples;
    private final TimeStepsRule.Split rows;
    private long height;
    private long width;

    Yolo(Yolo2OutputLayer original, int examples) {
      var conf =
          (org.deeplearning4j.nn.conf.layers.objdetect.Yolo2OutputLayer) original.conf().getLayer();
      layer = new Yolo2OutputLayer(original.conf(), DataType.DOUBLE);
      channelsLast = conf.getFormat() == CNN2DFormat.NHWC;
      this.examples = examples;
      rows = new TimeStepsRule.Split(channelsLast);
    }

    /** Tells the size of the grid. */
    Yolo on(long height, long width) {
      this.height = height;
      this.width = width;
      return this;
    }

    @Override
    public String name() {
      return "Yolo2OutputLayer";
    }

    @Override
    public double[][] gradient(double[][] z, double[][] y) {
      set(z, y);
      INDArray epsilon = layer.backpropGradient(null, NONE).getSecond();
      return rows.forward(examples, epsilon.castTo(DataType.DOUBLE).dup('c')).toDoubleMatrix();
    }

    @Override
    public double loss(double[][] z, double[][] y) {
      set(z, y);
      return layer.computeScore(0, true, NONE) * examples;
    }

    @Override
    public boolean takesSingleRows() {
      return false;
    }

    private void set(double[][] z, double[][] y) {
      layer.setInput(grid(z), NONE);
      layer.setLabels(grid(y));
    }

    private INDArray grid(double[][] matrix) {
      long channels = matrix[0].length;
      long[] shape =
          channelsLast
              ? new long[] {examples, height, width, channels}
              : new long[] {examples, channels, height, width};
      rows.forward(examples, Nd4j.create(DataType.DOUBLE, shape));
      return rows.back(Nd4j.createFromArray(matrix), true, (block, parameters) -> {});
    }
  }
}
