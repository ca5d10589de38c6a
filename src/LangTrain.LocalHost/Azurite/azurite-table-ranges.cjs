'use strict';
// Azurite answers a range of rows by looking at every row of the table and sorting what fits: a page of an account with ten thousand jobs takes
// ten times as long as one of an account with ten. Here a range of one partition is read in key order from where it begins, as the service in the
// cloud does. Everything else that is asked goes Azurite's own way.

// A question is only taken if it is made of such clauses alone: PartitionKey eq 'a' and RowKey ge 'b' and RowKey lt 'c'.
const clause = /\s*(PartitionKey|RowKey)\s+(eq|gt|ge|lt|le)\s+'((?:[^']|'')*)'\s*(and\s|$)/y;

/** The partition that a filter asks for and the row keys that it may want, bounds included; undefined for any other filter. */
function rangeOf(filter) {
  let partition;
  let from = '';
  let to;
  clause.lastIndex = 0;
  while (clause.lastIndex < filter.length) {
    const [, key, operator, literal] = clause.exec(filter) ?? [];
    if (key === undefined || (key === 'PartitionKey' && (operator !== 'eq' || partition !== undefined))) {
      return undefined;
    }

    const value = literal.replaceAll("''", "'");
    if (key === 'PartitionKey') {
      partition = value;
      continue;
    }

    if (operator !== 'lt' && operator !== 'le' && value > from) {
      from = value;
    }

    if (operator !== 'gt' && operator !== 'ge' && (to === undefined || value < to)) {
      to = value;
    }
  }

  return partition === undefined ? undefined : { partition, from, to };
}

/** The first place in rows, which are in key order, whose key is not before the given one. */
function placeOf(rows, key) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].RowKey < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }

  return low;
}

const partitionsOf = new WeakMap(); // A table's collection -> its rows by partition, each partition in key order.

function partitions(collection) {
  let all = partitionsOf.get(collection);
  if (all !== undefined) {
    return all;
  }

  all = new Map();
  partitionsOf.set(collection, all);
  for (const row of collection.data) {
    const rows = all.get(row.PartitionKey);
    if (rows === undefined) {
      all.set(row.PartitionKey, [row]);
    } else {
      rows.push(row);
    }
  }

  for (const rows of all.values()) {
    rows.sort((a, b) => (a.RowKey < b.RowKey ? -1 : 1));
  }

  const put = row => {
    const rows = all.get(row.PartitionKey) ?? [];
    const place = placeOf(rows, row.RowKey);
    rows.splice(place, rows[place]?.RowKey === row.RowKey ? 1 : 0, row);
    all.set(row.PartitionKey, rows);
  };
  const drop = row => {
    const rows = all.get(row.PartitionKey) ?? [];
    const place = placeOf(rows, row.RowKey);
    if (rows[place]?.RowKey === row.RowKey) {
      rows.splice(place, 1);
    }
  };
  // One row or several, told of while they are written.
  collection.on('insert', changed => [changed].flat().forEach(put));
  collection.on('update', changed => [changed].flat().forEach(put));
  collection.on('delete', changed => [changed].flat().forEach(drop));
  return all;
}

/** Replaces the scan in Azurite's store of rows. */
exports.install = (Store, QueryGenerator) => {
  const scan = Store.prototype.queryTableEntities;
  Store.prototype.queryTableEntities = async function (context, account, table, options, nextPartition, nextRow) {
    const range = rangeOf(options.filter ?? '');
    const after = this.decodeContinuationHeader(nextRow) ?? '';
    if (range === undefined || (this.decodeContinuationHeader(nextPartition) ?? range.partition) !== range.partition) {
      return scan.call(this, context, account, table, options, nextPartition, nextRow);
    }

    // Azurite's own reading of the filter decides; the range only spares it the rows that cannot fit.
    const fits = QueryGenerator.generateQueryForPersistenceLayer(options, context);
    const rows = partitions(this.getEntityCollection(account, table, context)).get(range.partition) ?? [];
    const most = this.getMaxResultsOption(options);
    const found = [];
    for (let i = placeOf(rows, after > range.from ? after : range.from); i < rows.length && found.length <= most; i++) {
      if (range.to !== undefined && rows[i].RowKey > range.to) {
        break;
      }

      if (fits(rows[i])) {
        found.push(rows[i]);
      }
    }

    const next = this.adjustQueryResultforTop(found, most);
    return [found, next.nextPartitionKeyResponse, next.nextRowKeyResponse];
  };
};
