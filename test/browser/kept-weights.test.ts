/** The user's networks in the browser's database: their order, and what becomes of them where it fails. */
import { afterEach, expect, test, vi } from "vitest";
import { WeightKeeper } from "../../site/kept-weights.ts";
import { Methods } from "../../site/methods.ts";

let count = 0;
const anotherName = () => `test ${performance.timeOrigin} ${++count}`;
const network = { id: "own 1", label: "mine ×2", scale: 2, bytes: new Uint8Array([1, 2, 3]) };

afterEach(() => vi.restoreAllMocks());

test("what is kept is there the next time, until it is removed", async () => {
  const name = anotherName();
  expect(await new WeightKeeper(name).keep(network)).toBe(true);
  const keeper = new WeightKeeper(name);
  expect(await keeper.all()).toEqual([network]);
  await keeper.remove(network.id);
  expect(await new WeightKeeper(name).all()).toEqual([]);
});

test("the newest network is the first, at the next visit, too, and another name changes no place", async () => {
  const database = anotherName();
  const visit = () => new Methods(new WeightKeeper(database));
  const methods = visit();
  const own = async (of: Methods) => (await of.list()).filter(({ isOwn }) => isOwn).map(({ label }) => label);
  const names = Array.from({ length: 8 }, (_, i) => `network ${i}`);
  for (const name of names) await methods.add(new Uint8Array([1]), 2, name);
  const newestFirst = names.map((name) => `${name} ×2`).reverse();
  expect(await own(methods)).toEqual(newestFirst);
  expect(await own(visit())).toEqual(newestFirst);
  const oldest = (await methods.list()).find(({ label }) => label === "network 0 ×2")!;
  await methods.rename(oldest.id, "first");
  expect((await own(methods)).at(-1)).toBe("first ×2");
  expect((await own(visit())).at(-1)).toBe("first ×2");
});

test("a database without the store, or whose connection is closed, keeps nothing and stops nothing", async () => {
  const name = anotherName();
  const request = indexedDB.open(name, 1); // makes no store
  await new Promise((resolve) => request.addEventListener("success", resolve));
  request.result.close();
  const without = new WeightKeeper(name);
  expect(await without.all()).toEqual([]);
  expect(await without.keep(network)).toBe(false);
  await without.remove(network.id);

  const closed = new WeightKeeper(anotherName());
  const transaction = vi.spyOn(IDBDatabase.prototype, "transaction");
  expect(await closed.keep(network)).toBe(true);
  (transaction.mock.contexts[0] as IDBDatabase).close();
  expect(await closed.all()).toEqual([]);
  expect(await closed.keep(network)).toBe(false);
});

test("a browser that refuses its database at once", async () => {
  vi.spyOn(indexedDB, "open").mockImplementation(() => {
    throw new DOMException("Not in this window.", "SecurityError");
  });
  const keeper = new WeightKeeper(anotherName());
  expect(await keeper.all()).toEqual([]);
  expect(await keeper.keep(network)).toBe(false);
});

test("what is undone at the end, as for lack of space, is not kept", async () => {
  const { put } = IDBObjectStore.prototype;
  vi.spyOn(IDBObjectStore.prototype, "put").mockImplementation(function (this: IDBObjectStore, value) {
    const request = put.call(this, value);
    request.addEventListener("success", () => this.transaction.abort());
    return request;
  });
  const name = anotherName();
  expect(await new WeightKeeper(name).keep(network)).toBe(false);
  expect(await new WeightKeeper(name).all()).toEqual([]);
});
