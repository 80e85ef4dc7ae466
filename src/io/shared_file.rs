//! One open file with as many places of reading as there are threads: a file opened twice could be two, when another takes its name between.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::data::lock;

/// A file that several threads read: each reading has its own place in it.
#[derive(Clone)]
pub(super) struct SharedFile {
    file: Arc<Mutex<File>>,
    length: u64,
}

impl SharedFile {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(SharedFile { file: Arc::new(Mutex::new(file)), length })
    }
}

impl SharedFile {
    /// The length of the file.
    pub(super) fn bytes(&self) -> u64 {
        self.length
    }
}

impl Length for SharedFile {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for SharedFile {
    type T = BufReader<PlacedReader>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::new(PlacedReader { file: Arc::clone(&self.file), place: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        // Room is made for what can be there: a damaged file may ask for more than there is memory.
        let mut bytes = Vec::with_capacity(length.min(usize::try_from(self.length).unwrap_or(length)));
        let reader = PlacedReader { file: Arc::clone(&self.file), place: start };
        reader.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!("{} bytes instead of {length}", bytes.len())));
        }
        Ok(bytes.into())
    }
}

/// A place in the file.
pub(super) struct PlacedReader {
    file: Arc<Mutex<File>>,
    place: u64,
}

impl Read for PlacedReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = lock(&self.file);
        file.seek(SeekFrom::Start(self.place))?;
        let length = file.read(buffer)?;
        self.place += length as u64;
        Ok(length)
    }
}
