// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.deeplearning4j.nn.api.Layer;
import org.deeplearning4j.nn.gradient.Gradient;
import org.deeplearning4j.nn.layers.samediff.SameDiffLayer;
import org.deeplearning4j.nn.layers.wrapper.BaseWrapperLayer;
import org.deeplearning4j.nn.workspace.LayerWorkspaceMgr;
import org.nd4j.common.primitives.Pair;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The exact path for any layer with parameters: Deeplearning4j's own backward pass through that
 * layer alone, one example and one column at a time.
 */
final class GenericRule extends LayerRule {
  private static final LayerWorkspaceMgr NONE = LayerWorkspaceMgr.noWorkspaces();

  private final Layer layer;
  private final INDArray mask;
  private int examples;
  private INDArray input;
  private long outputRows;

  GenericRule(Layer layer) {
    this.layer = layer;
    mask = layer.getMaskArray();
  }

  /**
   * Deeplearning4j 1.0.0-M2.1 returns twice the true gradients of layers and vertices defined by
   * SameDiff.
   */
  static double scale(Object layer) {
    if (layer instanceof BaseWrapperLayer wrapper) {
      return scale(wrapper.getUnderlying());
    }
    return layer instanceof SameDiffLayer
            || layer instanceof org.deeplearning4j.nn.layers.samediff.SameDiffGraphVertex
        ? 0.5
        : 1;
  }

  /** All gradients of a backward pass as one row, in the order of {@link #parameters}. */
  static INDArray flatten(Gradient gradient) {
    Map<String, INDArray> ordered = new TreeMap<>(gradient.gradientForVariable());
    List<INDArray> parts = new ArrayList<>();
    for (INDArray part : ordered.values()) {
      parts.add(part.dup('c').reshape('c', 1, part.length()));
    }
    return Nd4j.concat(1, parts.toArray(INDArray[]::new));
  }

  /** The parameters that the gradients of a backward pass belong to. */
  static INDArray[] parameters(Gradient gradient, Map<String, INDArray> table) {
    return new TreeMap<>(gradient.gradientForVariable())
        .keySet().stream().map(table::get).toArray(INDArray[]::new);
  }

  @Override
  public boolean isTrained() {
    return true;
  }

  /** The whole Jacobian of the layer. */
  @Override
  public long workspace(int columns) {
    return (long) examples * columns * layer.numParams();
  }

  @Override
  INDArray forward(int examples, INDArray input) {
    this.examples = examples;
    this.input = input;
    layer.setMaskArray(mask);
    layer.setInput(input.dup('c'), NONE);
    INDArray output = StackedColumns.packed(layer.activate(false, NONE).castTo(input.dataType()));
    outputRows = output.size(0);
    return output;
  }

  @Override
  INDArray back(INDArray epsilon, boolean propagate, JacobianSink blocks) {
    long rowsIn = input.size(0) / examples;
    int columns = (int) (epsilon.size(0) / outputRows);
    long rowsOut = outputRows / examples;
    INDArray jacobian = null;
    INDArray[] parameters = null;
    INDArray result = null;
    double scale = scale(layer);
    for (int i = 0; i < examples; i++) {
      INDArray example = StackedColumns.get(input, rowsIn, i).dup('c');
      layer.setMaskArray(
          mask == null ? null : StackedColumns.get(mask, mask.size(0) / examples, i).dup());
      for (int k = 0; k < columns; k++) {
        layer.setInput(example.dup('c'), NONE);
        layer.activate(true, NONE);
        Pair<Gradient, INDArray> pair =
            layer.backpropGradient(
                StackedColumns.get(epsilon, rowsOut, (long) k * examples + i).dup('c'), NONE);
        INDArray row = flatten(pair.getFirst());
        if (jacobian == null) {
          parameters = parameters(pair.getFirst(), layer.paramTable());
          jacobian =
              Nd4j.createUninitialized(
                  row.dataType(), new long[] {(long) examples * columns, row.length()}, 'c');
        }
        StackedColumns.get(jacobian, 1, (long) i * columns + k).assign(row.muli(scale));
        if (propagate) {
          if (result == null) {
            long[] shape = input.shape().clone();
            shape[0] *= columns;
            result = Nd4j.createUninitialized(epsilon.dataType(), shape, 'c');
          }
          StackedColumns.get(result, rowsIn, (long) k * examples + i)
              .assign(pair.getSecond().muli(scale));
        }
      }
    }
    layer.setMaskArray(mask);
    blocks.accept(new JacobianBlock.Rows(examples, jacobian), parameters);
    return result;
  }
}
