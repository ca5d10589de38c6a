using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace LangTrain.Modeling.Weights.Pickle;

/// <summary>
/// The stack machine of Python's pickle format, as a parser: it makes dictionaries, lists, texts, numbers and tensor descriptions out of a pickle.
/// Names are compared with <see cref="PickleCallables"/>, never looked up, and nothing is ever called.
/// </summary>
/// <remarks>Opcodes as in Python's Lib/pickletools.py, protocols 2 to 5; one instance reads one pickle.</remarks>
internal sealed class PickleMachine(Stream stream, string file)
{
    /// <summary>Names and shapes of the largest models take a few MB; more is an attack.</summary>
    private const long MaxBytes = 32L << 20;

    /// <summary>A tensor takes about 30 steps.</summary>
    private const int MaxSteps = 5_000_000;

    private static readonly object s_mark = new();
    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];
    private readonly byte[] _small = new byte[8];
    private long _bytesRead;

    /// <exception cref="InvalidDataException">The bytes are no sound pickle.</exception>
    /// <exception cref="UnsupportedModelException">The pickle holds more than tensors and plain containers; names what.</exception>
    public object? Read()
    {
        for (int steps = 0; steps < MaxSteps; steps++)
        {
            byte code = Byte();
            if (code == '.')
            {
                return Pop();
            }

            Step(code);
        }

        throw Bad($"its pickle has more than {MaxSteps} operations");
    }

    private void Step(byte code)
    {
        switch (code)
        {
            case 0x80: // PROTO
                if (Byte() is > 5 and var protocol)
                {
                    throw Bad($"its protocol is {protocol}, known are 0 to 5");
                }

                break;
            case 0x95: // FRAME
                Bytes(8);
                break;
            case (byte)'(': Push(s_mark); break;
            case (byte)'0': Pop(); break;
            case (byte)'1': PopMark(); break;
            case (byte)'2': Push(Peek()); break;
            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Bytes(4))); break;
            case (byte)'K': Push((long)Byte()); break;
            case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Bytes(2))); break;
            case 0x8a: PushLong(Byte()); break;
            case 0x8b: PushLong(Int32()); break;
            case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Bytes(8))); break;
            case (byte)'X': Push(Text(UInt32())); break;
            case 0x8c: Push(Text(Byte())); break;
            case 0x8d: Push(Text(UInt64())); break;
            case (byte)'U' or (byte)'C': Push(Blob(Byte())); break;
            case (byte)'T' or (byte)'B': Push(Blob(UInt32())); break;
            case 0x8e or 0x96: Push(Blob(UInt64())); break;
            case (byte)']': Push(new PickleList([])); break;
            case (byte)')': Push(new PickleList([])); break;
            case 0x8f: Push(new PickleList([])); break; // EMPTY_SET
            case (byte)'}': Push(new PickleDictionary()); break;
            case (byte)'l' or (byte)'t' or 0x91: Push(new PickleList(PopMark())); break;
            case (byte)'d': Push(Fill(new PickleDictionary(), PopMark())); break;
            case 0x85: Push(new PickleList(Pop(1))); break;
            case 0x86: Push(new PickleList(Pop(2))); break;
            case 0x87: Push(new PickleList(Pop(3))); break;
            case (byte)'a': Extend(Pop(1)); break;
            case (byte)'e' or 0x90: Extend(PopMark()); break;
            case (byte)'s': FillTop(Pop(2)); break;
            case (byte)'u': FillTop(PopMark()); break;
            case (byte)'q': _memo[Byte()] = Peek(); break;
            case (byte)'r': _memo[UInt32()] = Peek(); break;
            case 0x94: _memo[_memo.Count] = Peek(); break;
            case (byte)'h': Push(Recall(Byte())); break;
            case (byte)'j': Push(Recall(UInt32())); break;
            case (byte)'c': Push(Global(Line(), Line())); break;
            case 0x93: // STACK_GLOBAL
                object?[] names = Pop(2);
                Push(Global(names[0] as string ?? throw Bad("a name is no text"), names[1] as string ?? throw Bad("a name is no text")));
                break;
            case (byte)'Q': Push(PickleCallables.Storage(Pop(), file)); break;
            case (byte)'R' or 0x81: Reduce(); break; // REDUCE, NEWOBJ
            case (byte)'b': Build(); break;
            default:
                throw new UnsupportedModelException(null, $"{file}: its pickle has the operation 0x{code:x2}, which no checkpoint of tensors needs.");
        }
    }

    private void Reduce()
    {
        object?[] parts = Pop(2);
        if (parts[0] is not PickleGlobal callable || parts[1] is not PickleList arguments)
        {
            throw Bad("something that is no name is to be called");
        }

        Push(PickleCallables.Make(callable, arguments.Items, file));
    }

    /// <summary>Attributes of a dictionary or of a parameter say nothing about weights.</summary>
    private void Build()
    {
        Pop();
        if (Peek() is not (PickleDictionary or PickleTensor))
        {
            throw Bad("something besides dictionaries and tensors has a state");
        }
    }

    private PickleGlobal Global(string module, string name)
    {
        string full = $"{module}.{name}";
        return PickleCallables.IsKnown(full)
            ? new PickleGlobal(full)
            : throw new UnsupportedModelException(null, $"{file} refers to '{Printable(full)}'. A checkpoint may hold tensors and plain containers only; nothing of the file was run. Save the weights as safetensors.");
    }

    private void FillTop(IReadOnlyList<object?> pairs) => Fill(Peek() as PickleDictionary ?? throw Bad("an entry belongs to no dictionary"), pairs);

    private PickleDictionary Fill(PickleDictionary dictionary, IReadOnlyList<object?> pairs)
    {
        if (pairs.Count % 2 != 0)
        {
            throw Bad("a key has no value");
        }

        for (int i = 0; i < pairs.Count; i += 2)
        {
            if (pairs[i] is string key)
            {
                dictionary.Items[key] = pairs[i + 1];
            }
        }

        return dictionary;
    }

    private void Extend(IReadOnlyList<object?> items)
    {
        if (Peek() is not PickleList list)
        {
            throw Bad("an item belongs to no list");
        }

        list.Items.AddRange(items);
    }

    private object? Recall(long index) => _memo.TryGetValue(index, out object? value) ? value : throw Bad("it recalls what was never remembered");

    private void Push(object? value) => _stack.Add(value);

    private object? Peek() => _stack.Count > 0 && _stack[^1] != s_mark ? _stack[^1] : throw Bad("its stack is empty");

    private object? Pop()
    {
        object? value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private object?[] Pop(int count)
    {
        object?[] values = new object?[count];
        for (int i = count - 1; i >= 0; i--)
        {
            values[i] = Pop();
        }

        return values;
    }

    private List<object?> PopMark()
    {
        int mark = _stack.LastIndexOf(s_mark);
        if (mark < 0)
        {
            throw Bad("its stack has no mark");
        }

        List<object?> values = _stack[(mark + 1)..];
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private void PushLong(int length)
    {
        var value = new BigInteger(Bytes(length is >= 0 and <= 1024 ? length : throw Bad("a number is too long")));
        Push(value >= long.MinValue && value <= long.MaxValue ? (long)value : value);
    }

    private string Text(ulong length) => Encoding.UTF8.GetString(Bytes(length));

    /// <summary>Bytes, or a text of Python 2: Latin letters.</summary>
    private string Blob(ulong length) => Encoding.Latin1.GetString(Bytes(length));

    private string Line()
    {
        StringBuilder line = new();
        for (byte b = Byte(); b != '\n'; b = Byte())
        {
            line.Append(line.Length < 1000 ? (char)b : throw Bad("a name is too long"));
        }

        return line.ToString();
    }

    private int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Bytes(4));

    private uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Bytes(4));

    private ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Bytes(8));

    private byte Byte() => Bytes(1)[0];

    private ReadOnlySpan<byte> Bytes(int count) => Bytes((ulong)count);

    private ReadOnlySpan<byte> Bytes(ulong count)
    {
        if (count > MaxBytes || (_bytesRead += (long)count) > MaxBytes)
        {
            throw Bad($"it is longer than {MaxBytes >> 20} MiB");
        }

        byte[] buffer = count <= (ulong)_small.Length ? _small : Array.Empty<byte>();
        if (buffer.Length == 0)
        {
            // A length that lies must not cost its memory: grow with what is really there.
            using MemoryStream gathered = new();
            buffer = new byte[Math.Min((int)count, 1 << 16)];
            for (int left = (int)count; left > 0;)
            {
                int read = stream.Read(buffer, 0, Math.Min(buffer.Length, left));
                if (read == 0)
                {
                    throw Bad("it ends too early");
                }

                gathered.Write(buffer, 0, read);
                left -= read;
            }

            return gathered.ToArray();
        }

        if (stream.ReadAtLeast(buffer.AsSpan(0, (int)count), (int)count, throwOnEndOfStream: false) < (int)count)
        {
            throw Bad("it ends too early");
        }

        return buffer.AsSpan(0, (int)count);
    }

    private InvalidDataException Bad(string what) => new($"{file} is not a sound PyTorch checkpoint: {what}.");

    private static string Printable(string name) => string.Concat(name.Take(200).Select(c => char.IsControl(c) ? '?' : c));
}
