// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Takes Jacobian blocks apart by the groups that their columns' parameters belong to. A column's
 * group is found as its weight is: by the address of its parameter.
 */
final class BlockGroups {
  private final ParameterWeights numbers;
  private final int count;

  /**
   * Groups.
   *
   * @param numbers the group of each flat parameter, as a view of which parameters are seen
   * @param count how many groups there are
   */
  BlockGroups(ParameterWeights numbers, int count) {
    this.numbers = numbers;
    this.count = count;
  }

  int count() {
    return count;
  }

  /**
   * The parts of a block.
   *
   * @param block J, weighted or not
   * @param parameters those of its columns
   * @return for each group J with the columns of the others 0 or left out; null for none
   */
  JacobianBlock[] split(JacobianBlock block, INDArray... parameters) {
    double[] groupOf = numbers.flat(parameters).castTo(DataType.DOUBLE).toDoubleVector();
    JacobianBlock[] parts = new JacobianBlock[count];
    for (int h = 0; h < count; h++) {
      boolean[] members = new boolean[groupOf.length];
      for (int p = 0; p < members.length; p++) {
        members[p] = groupOf[p] == h;
      }
      parts[h] = block.only(members);
    }
    return parts;
  }
}
