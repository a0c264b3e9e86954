Feature: Tables
  Scenario: A table is booked
    Given the toolgroup fod
    And the tools book_table, book_table
    And the model must call book_tabel
    And the tool book_table returns {"tabel": 4}
    And the tool boook_table fails with "full"
    When I ask "Book a table." and run the tools for at most 0 rounds
    Then the reply calls book_table with:
      | guests | 2 | 3 |
    And the argument "guests..at" of book_table is 2
    And the calls in order are:
      | name       |
      | book_table |
